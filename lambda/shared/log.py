"""Logs one line of JSON per message, so that CloudWatch Logs Insights can query the fields.

Callers name the fields; events, contexts and clients are never logged as a whole.
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
    """A log whose lines all have the same fields: the function and the request."""

    common_fields: Mapping[str, str] = field(default_factory=dict)
    write: Callable[[str], object] = _to_stdout

    @classmethod
    def of(cls, function: str, context: Any) -> Log:
        """Returns the log of one invocation."""
        return cls({"function": function, "request": str(getattr(context, "aws_request_id", ""))})

    def info(self, message: str, **fields: object) -> None:
        self._write_line("INFO", message, fields)

    def warning(self, message: str, **fields: object) -> None:
        """Logs a problem that does no harm."""
        self._write_line("WARNING", message, fields)

    def error(self, message: str, **fields: object) -> None:
        """Logs a problem that needs attention."""
        self._write_line("ERROR", message, fields)

    def _write_line(self, level: str, message: str, fields: Mapping[str, object]) -> None:
        self.write(json.dumps({"level": level, "message": message, **self.common_fields, **fields}, default=str) + "\n")
