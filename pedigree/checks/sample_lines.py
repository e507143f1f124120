"""A line that a regular expression is made for, with a value of one's choice in its first group.

Python's own parser takes the expression apart. What could take exponentially long to match is not tried.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

if sys.version_info >= (3, 11):
    from re import _parser as parser  # type: ignore[attr-defined]  # the parser has no other home
else:
    import sre_parse as parser

_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_LONGEST = 400
_CLASSES = {"CATEGORY_DIGIT": "0", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a", "CATEGORY_NOT_SPACE": "a"}


class UntriableError(Exception):
    """An expression for which no line can be made in a bounded time."""


@cache
def compiled(written: str) -> re.Pattern[str] | None:
    """The expression, None where it is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(written)
    except (re.error, RecursionError, OverflowError):
        return None


@cache
def read(written: str, value: str) -> str | None:
    """What an expression reads in a line made for it that has this value; None if it does not match."""
    pattern = compiled(written)
    match = pattern.search(line(written, value)) if pattern else None
    return match[1] if match else None


def line(written: str, value: str) -> str:
    """A line for an expression; UntriableError says that there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        items: Any = parser.parse(written)
    if _is_heavy(items):
        raise UntriableError(written)
    made = _text(items, value)
    if len(made) > _LONGEST:
        raise UntriableError(written)
    return made


def _text(items: Any, value: str) -> str:
    made = ""
    for kind, body in items:
        made += _MAKERS.get(str(kind), _nothing)(body, value)
        if len(made) > _LONGEST:
            raise UntriableError
    return made


def _is_heavy(items: Any, repeated: bool = False) -> bool:
    """Whether something is repeated in which there are choices."""
    for kind, body in items:
        name = str(kind)
        if repeated and (name in _REPEATS or name == "BRANCH"):
            return True
        if name == "GROUPREF" or (name == "MAX_REPEAT" and body[0] > _LONGEST):
            return True
        inner_repeated = repeated or (name in _REPEATS and body[1] > 1)
        if any(_is_heavy(one, inner_repeated) for one in _inner(name, body)):
            return True
    return False


def _inner(name: str, body: Any) -> list[Any]:
    if name in _REPEATS:
        return [body[2]]
    if name == "SUBPATTERN":
        return [body[3]]
    return list(body[1]) if name == "BRANCH" else []


def _nothing(_body: Any, _value: str) -> str:
    return ""


def _group(body: Any, value: str) -> str:
    return value if body[0] == 1 else _text(body[3], value)


def _one_of(body: Any, _value: str) -> str:
    kind, first = body[0]
    name = str(kind)
    if name == "NEGATE":
        taken = {chr(one) for what, one in body[1:] if str(what) == "LITERAL"}
        return next(one for one in "ax 0" if one not in taken)
    if name == "CATEGORY":
        return _CLASSES.get(str(first), "a")
    return chr(first[0] if name == "RANGE" else first)


_MAKERS: Mapping[str, Callable[[Any, str], str]] = {
    "LITERAL": lambda body, _: chr(body),
    "NOT_LITERAL": lambda body, _: "a" if body != ord("a") else "x",
    "ANY": lambda _body, _: "x",
    "IN": _one_of,
    "BRANCH": lambda body, value: _text(body[1][0], value),
    "SUBPATTERN": _group,
    **dict.fromkeys(_REPEATS, lambda body, value: _text(body[2], value) * body[0]),
}
