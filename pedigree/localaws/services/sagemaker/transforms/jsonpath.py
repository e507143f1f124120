"""The JSONPath of a transform job's filters: the operators that SageMaker supports, applied to one record.

`$`, `.name`, `['name', …]`, `[number, …]`, `[start:end]` and `*`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Step: TypeAlias = Callable[[Any], Any]
_NUMBER = r"-?\d{1,9}"
_TEXT = r"'[^']*'|\"[^\"]*\""
_STEP = re.compile(
    rf"\.(?P<name>[^.\[\]*\s]+)"
    rf"|\[\s*(?P<names>(?:{_TEXT})(?:\s*,\s*(?:{_TEXT}))*)\s*\]"
    rf"|\[\s*(?P<numbers>{_NUMBER}(?:\s*,\s*{_NUMBER})*)\s*\]"
    rf"|\[\s*(?P<start>{_NUMBER})?\s*:\s*(?P<end>{_NUMBER})?\s*\]"
    r"|(?P<all>\.\*|\[\s*\*\s*\])"
)


class PathError(ValueError):
    """A path is not valid, or a record has nothing there."""


def compiled(path: str) -> Step:
    """Compile a path to a function that selects a part of a record."""
    if not path.startswith("$"):
        raise PathError(f"{path} does not begin with $")
    steps, start = [], 1
    while start < len(path):
        match = _STEP.match(path, start)
        if match is None:
            raise PathError(f"{path} is not understood from {path[start:]!r} on")
        steps.append(_step(match))
        start = match.end()
    return lambda record: _chosen(record, steps, path)


def _chosen(record: Any, steps: Sequence[Step], path: str) -> Any:
    for step in steps:
        try:
            record = step(record)
        except (KeyError, IndexError, TypeError) as error:
            raise PathError(f"a record has nothing at {path}: {error!r}") from None
    return record


def _step(match: re.Match[str]) -> Step:
    if match["name"] is not None:
        return _named([match["name"]])
    if match["names"] is not None:
        return _named([text[1:-1] for text in re.findall(_TEXT, match["names"])])
    if match["numbers"] is not None:
        return _numbered([int(text) for text in match["numbers"].split(",")])
    if match["all"] is not None:
        return lambda value: list(value.values()) if isinstance(value, dict) else list(_array(value))
    start, end = (int(text) if text else None for text in (match["start"], match["end"]))
    return lambda value: _array(value)[start:end]


def _named(names: Sequence[str]) -> Step:
    """Select the value of one name; of several names, an object with them."""
    if len(names) == 1:
        return lambda value: _object(value)[names[0]]
    return lambda value: {name: _object(value)[name] for name in names}


def _numbered(numbers: Sequence[int]) -> Step:
    if len(numbers) == 1:
        return lambda value: _array(value)[numbers[0]]
    return lambda value: [_array(value)[number] for number in numbers]


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{type(value).__name__} is not an object")
    return value


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{type(value).__name__} is not an array")
    return value
