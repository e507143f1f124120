"""Reads the values of an event: flat, and possibly as text, as some senders only send text."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import EventError

_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class Event:
    """An event whose values are read by name; a missing or invalid value raises EventError with its name."""

    values: Mapping[str, Any]

    def text(self, name: str, default: str | None = None) -> str:
        """Returns text; without a default it must not be empty."""
        value = self.values.get(name, default)
        if not isinstance(value, str) or (not value and default is None):
            raise _invalid(name, value, "text that is not empty" if default is None else "text")
        return value

    def optional_text(self, name: str) -> str:
        """Returns text, or empty if there is none."""
        return self.text(name, "")

    def number(self, name: str) -> float:
        """Returns a number, from a number or from text."""
        value = self.values.get(name)
        try:
            parsed_value = (
                float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
            )
        except ValueError:
            parsed_value = math.nan
        if not math.isfinite(parsed_value):
            raise _invalid(name, value, "a number")
        return parsed_value

    def integer(self, name: str) -> int:
        """Returns an integer that is not negative."""
        parsed_value = self.number(name)
        if parsed_value < 0 or parsed_value != int(parsed_value):
            raise _invalid(name, self.values.get(name), "a whole number")
        return int(parsed_value)

    def boolean(self, name: str) -> bool:
        value = self.values.get(name)
        parsed_value = value if isinstance(value, bool) else _BOOLEANS.get(str(value).lower())
        if parsed_value is None:
            raise _invalid(name, value, "true or false")
        return parsed_value

    def string_list(self, name: str) -> list[str]:
        """Returns a list of strings, from JSON text."""
        parsed_value = self._parse_json(name)
        if not isinstance(parsed_value, list) or not all(isinstance(item, str) for item in parsed_value):
            raise _invalid(name, self.values.get(name), "a list of texts as JSON")
        return parsed_value

    def json_object(self, name: str) -> dict[str, Any]:
        """Returns a dictionary, from JSON text."""
        parsed_value = self._parse_json(name)
        if not isinstance(parsed_value, dict):
            raise _invalid(name, self.values.get(name), "a table as JSON")
        return parsed_value

    def _parse_json(self, name: str) -> Any:
        value = self.values.get(name)
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            return None


def _invalid(name: str, value: object, expected: str) -> EventError:
    parsed_value = f"{name} = {value!r:.80}" if value is not None else f"no {name}"
    return EventError(
        f"the event has {parsed_value}, and the function needs {expected}",
        "check the parameters of the execution, or upsert the pipeline again",
    )
