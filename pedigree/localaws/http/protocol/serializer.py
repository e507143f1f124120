"""What a service answers, in the form of its protocol: only members that the model knows, times as seconds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Shape: TypeAlias = Any


def seconds(value: Any) -> Any:
    """A time, which documents keep as text, as seconds."""
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    return round(value.timestamp(), 3) if isinstance(value, dt.datetime) else value


def shaped(shape: Shape | None, value: Any, time: Callable[[Any], Any] = seconds) -> Any:
    """A value as an answer has it: members that the shape does not know, and those that are None, are left out."""
    if shape is None:
        return {}
    if shape.type_name == "structure":
        return {
            name: shaped(member, value[name], time)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if shape.type_name == "list":
        return [shaped(shape.member, entry, time) for entry in value]
    if shape.type_name == "map":
        return {key: shaped(shape.value, entry, time) for key, entry in value.items()}
    return time(value) if shape.type_name == "timestamp" else value


def error_body(code: str, message: str) -> Mapping[str, str]:
    """An error as the JSON protocols write it."""
    return {"__type": code, "message": message}
