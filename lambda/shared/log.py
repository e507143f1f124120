"""One line of JSON for each thing worth knowing, so that CloudWatch Logs Insights can ask for its fields.

Callers name what they log; events, contexts and clients are never logged whole.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


def _to_stdout(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


@dataclass(frozen=True)
class Log:
    """Lines that all carry the same fields: which function, which request."""

    always: Mapping[str, str] = field(default_factory=dict)
    write: Callable[[str], object] = _to_stdout

    @classmethod
    def of(cls, function: str, context: Any) -> Log:
        """The log of one invocation."""
        return cls({"function": function, "request": str(getattr(context, "aws_request_id", ""))})

    def info(self, message: str, **fields: object) -> None:
        """What was done."""
        self._line("INFO", message, fields)

    def warning(self, message: str, **fields: object) -> None:
        """What went wrong and does no harm."""
        self._line("WARNING", message, fields)

    def error(self, message: str, **fields: object) -> None:
        """What somebody must look at."""
        self._line("ERROR", message, fields)

    def _line(self, level: str, message: str, fields: Mapping[str, object]) -> None:
        self.write(json.dumps({"level": level, "message": message, **self.always, **fields}, default=str) + "\n")
