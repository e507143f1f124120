"""Makes a line that a regular expression matches, with a chosen value in its first group.

Python's own parser takes the expression apart. Expressions that could take exponentially long to match are not tried.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

if sys.version_info >= (3, 11):
    from re import _parser as parser  # type: ignore[attr-defined]  # the parser is public nowhere
else:
    import sre_parse as parser

_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_LONGEST = 400
_SAMPLE_OF_CLASS = {"CATEGORY_DIGIT": "0", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a", "CATEGORY_NOT_SPACE": "a"}


class NoSampleError(Exception):
    """No line can be made for an expression in bounded time."""


@cache
def compile_regex(regex: str) -> re.Pattern[str] | None:
    """The compiled expression, None if it is malformed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(regex)
    except (re.error, RecursionError, OverflowError):
        return None


@cache
def read_value(regex: str, value: str) -> str | None:
    """What an expression reads from a line that contains the value; None if it does not match."""
    pattern = compile_regex(regex)
    match = pattern.search(sample_line(regex, value)) if pattern else None
    return match[1] if match else None


def sample_line(regex: str, value: str) -> str:
    """A line that the expression matches; NoSampleError if none can be made."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        items: Any = parser.parse(regex)
    if _is_heavy(items):
        raise NoSampleError(regex)
    return _sample(items, value)


def _sample(items: Any, value: str) -> str:
    line = ""
    for kind, body in items:
        line += _SAMPLERS.get(str(kind), _nothing)(body, value)
        if len(line) > _LONGEST:
            raise NoSampleError
    return line


def _is_heavy(items: Any, repeated: bool = False) -> bool:
    """Whether the expression repeats something that contains choices."""
    for kind, body in items:
        name = str(kind)
        if repeated and (name in _REPEATS or name == "BRANCH"):
            return True
        if name == "GROUPREF" or (name == "MAX_REPEAT" and body[0] > _LONGEST):
            return True
        inner_repeated = repeated or (name in _REPEATS and body[1] > 1)
        if any(_is_heavy(inner, inner_repeated) for inner in _parts(name, body)):
            return True
    return False


def _parts(name: str, body: Any) -> list[Any]:
    if name in _REPEATS:
        return [body[2]]
    if name == "SUBPATTERN":
        return [body[3]]
    return list(body[1]) if name == "BRANCH" else []


def _nothing(_body: Any, _value: str) -> str:
    return ""


def _group(body: Any, value: str) -> str:
    return value if body[0] == 1 else _sample(body[3], value)


def _character_of(body: Any, _value: str) -> str:
    kind, first = body[0]
    name = str(kind)
    if name == "NEGATE":
        excluded = {chr(code) for kind, code in body[1:] if str(kind) == "LITERAL"}
        return next(character for character in "ax 0" if character not in excluded)
    if name == "CATEGORY":
        return _SAMPLE_OF_CLASS.get(str(first), "a")
    return chr(first[0] if name == "RANGE" else first)


_SAMPLERS: Mapping[str, Callable[[Any, str], str]] = {
    "LITERAL": lambda body, _: chr(body),
    "NOT_LITERAL": lambda body, _: "a" if body != ord("a") else "x",
    "ANY": lambda _body, _: "x",
    "IN": _character_of,
    "BRANCH": lambda body, value: _sample(body[1][0], value),
    "SUBPATTERN": _group,
    **dict.fromkeys(_REPEATS, lambda body, value: _sample(body[2], value) * body[0]),
}
