"""The values of an event: flat, and possibly written as text, since whoever sends it may only know text."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import EventError

_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True)
class Event:
    """An event, asked by name; what is not there, or is of another kind, is told with its name."""

    values: Mapping[str, Any]

    def text(self, name: str, default: str | None = None) -> str:
        """Text; without a default it may not be empty."""
        value = self.values.get(name, default)
        if not isinstance(value, str) or (not value and default is None):
            raise _wrong(name, value, "text that is not empty" if default is None else "text")
        return value

    def optional(self, name: str) -> str:
        """Text, or empty where there is none."""
        return self.text(name, "")

    def number(self, name: str) -> float:
        """A number; text of one will do."""
        value = self.values.get(name)
        try:
            found = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise _wrong(name, value, "a number")
        return found

    def whole(self, name: str) -> int:
        """A whole number that is not negative."""
        found = self.number(name)
        if found < 0 or found != int(found):
            raise _wrong(name, self.values.get(name), "a whole number")
        return int(found)

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self.values.get(name)
        found = value if isinstance(value, bool) else _FLAGS.get(str(value).lower())
        if found is None:
            raise _wrong(name, value, "true or false")
        return found

    def listing(self, name: str) -> list[str]:
        """A list of texts, as the text of its JSON."""
        found = self._parsed(name)
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise _wrong(name, self.values.get(name), "a list of texts as JSON")
        return found

    def table(self, name: str) -> dict[str, Any]:
        """A table, as the text of its JSON."""
        found = self._parsed(name)
        if not isinstance(found, dict):
            raise _wrong(name, self.values.get(name), "a table as JSON")
        return found

    def _parsed(self, name: str) -> Any:
        value = self.values.get(name)
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            return None


def _wrong(name: str, value: object, kind: str) -> EventError:
    found = f"{name} = {value!r:.80}" if value is not None else f"no {name}"
    remedy = "look at the parameters of the execution, or put the pipeline up again"
    return EventError(f"the event has {found}, and the function needs {kind}; {remedy}")
