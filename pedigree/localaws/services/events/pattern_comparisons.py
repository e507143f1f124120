"""Reads one comparison of an event pattern, such as {"prefix": "aws."}, and refuses it in AWS's words. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

from pedigree.localaws.services.events.pattern_tokens import (
    ARRAY,
    END_ARRAY,
    END_OBJECT,
    LITERAL,
    NAME,
    NUMBER,
    OBJECT,
    TEXT,
    PatternSyntaxError,
    Token,
    TokenReader,
)

_ONLY_ONE = "Only one key allowed in match expression"
_TOO_MANY = "Too many elements in numeric expression"
_TOO_COMPLEX = (
    "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a "
    "wildcard character"
)
_MOST_STARS = 5  # AWS counts states of its matcher, and says no limit; it refuses six
_LARGEST = 5_000_000_000
_BELOW, _ABOVE = ("<", "<="), (">", ">=")
_IP = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*")
_IPV4_BITS = 32


def comparison(reader: TokenReader) -> dict[str, Any]:
    """Read an object with one comparison."""
    token = reader.next()
    if token.kind != NAME:
        raise reader.error("Match expression name not found")
    read = _COMPARISONS.get(token.value)
    if read is None:
        raise reader.error(f"Unrecognized match type {token.value}")
    return {token.value: read(reader)}


def _end(reader: TokenReader, reason: str = _ONLY_ONE) -> None:
    if reader.next().kind != END_OBJECT:
        raise reader.error(reason)


def _text(reader: TokenReader, token: Token, words: str) -> str:
    if token.kind != TEXT:
        raise reader.error(f"{words} match pattern must be a string")
    return reader.text(token)


def _one_text(name: str) -> Callable[[TokenReader], str]:
    def read(reader: TokenReader) -> str:
        value = _text(reader, reader.next(), name)
        _end(reader)
        return value

    return read


def _affix(name: str) -> Callable[[TokenReader], Any]:
    """Read what follows prefix or suffix: a text, or one that is compared without regard to case."""

    def read(reader: TokenReader) -> Any:
        token = reader.next()
        value: Any
        if token.kind == OBJECT:
            inner = reader.next()
            if inner.kind != NAME:
                raise reader.error(f"{name.capitalize()} expression name not found")
            if inner.value != "equals-ignore-case":
                raise reader.error(f"Unsupported {name} pattern: {inner.value}")
            value = {inner.value: _one_text(inner.value)(reader)}
        else:
            value = _text(reader, token, name)
        _end(reader)
        return value

    return read


def _wildcard(reader: TokenReader) -> str:
    value = _text(reader, reader.next(), "wildcard")
    stars = _checked_stars(reader, value)
    _end(reader)
    if stars > _MOST_STARS:
        raise PatternSyntaxError(_TOO_COMPLEX)
    return value


def _checked_stars(reader: TokenReader, value: str) -> int:
    """Count the stars; refuse two side by side, and what cannot be escaped. AWS counts bytes, with a quote in front."""
    content, position, stars = f'"{value}"'.encode(), 0, 0
    while position < len(content):
        pair = content[position : position + 2]
        if pair == b"**":
            raise reader.error(f"Consecutive wildcard characters at pos {position}")
        if pair[:1] == b"\\" and pair[1:] not in (b"*", b"\\"):
            raise reader.error(f"Invalid escape character at pos {position}")
        position += 2 if pair[:1] == b"\\" else 1
        stars += pair[:1] == b"*"
    return stars


def _exists(reader: TokenReader) -> bool:
    token = reader.next()
    if token.kind != LITERAL or token.value is None:
        raise reader.error("exists match pattern must be either true or false.")
    _end(reader)
    return bool(token.value)


def _cidr(reader: TokenReader) -> str:
    value = _text(reader, reader.next(), "prefix")  # AWS's own word here
    address, slash, bits = value.partition("/")
    if not slash or "/" in bits:
        raise PatternSyntaxError("Malformed CIDR, one '/' required")
    if not re.fullmatch(r"[+-]?[0-9]+", bits):
        raise PatternSyntaxError("Malformed CIDR, mask bits must be an integer")
    if int(bits) < 0:
        raise PatternSyntaxError("Malformed CIDR, mask bits must not be negative")
    try:
        most = ipaddress.ip_address(address).max_prefixlen if _IP.fullmatch(address) else 0
    except ValueError:
        raise PatternSyntaxError(f"Invalid IP address: {address}") from None
    if not most:
        raise PatternSyntaxError(f"Nonstandard IP address: {address}")
    if int(bits) >= most:
        raise PatternSyntaxError(f"IPv{4 if most == _IPV4_BITS else 6} mask bits must be < {most}")
    _end(reader)
    return value


def _number(reader: TokenReader, token: Token, words: str) -> Any:
    if token.kind != NUMBER:
        raise reader.error(f"Value of {words} must be numeric")
    return _bounded(reader, token.value)


def _bounded(reader: TokenReader, number: Any) -> Any:
    if abs(number) > _LARGEST:
        raise reader.error("Value must be between -5.0E9 and 5.0E9, inclusive")
    return number


def _numeric(reader: TokenReader) -> list[Any]:
    """Read a comparison with one number, or a range: from the bottom up to the top."""
    if reader.next().kind != ARRAY:
        raise reader.error("Value of numeric must be an array.")
    token = reader.next()
    if token.kind != TEXT:
        raise reader.error(f"Invalid member in numeric match: {_shown(token)}")
    operator = reader.text(token)
    value = reader.next()
    if operator not in ("=", *_BELOW, *_ABOVE):
        raise reader.error(f"Unrecognized numeric range operator: {operator}")
    parts = [operator, _number(reader, value, "equals" if operator == "=" else operator)]
    following = reader.next()
    if following.kind != END_ARRAY:
        if operator not in _ABOVE:
            raise reader.error(_TOO_MANY)
        parts += _top(reader, following, parts[1])
    _end(reader, _TOO_MANY)
    return parts


def _top(reader: TokenReader, token: Token, bottom: Any) -> list[Any]:
    if token.kind != TEXT:
        raise reader.error(f"Bad value in numeric range: {_shown(token)}")
    operator = reader.text(token)
    if operator not in _BELOW:
        raise reader.error(f"Bad numeric range operator: {operator}")
    top = _number(reader, reader.next(), operator)
    if reader.next().kind != END_ARRAY:
        raise reader.error("Too many terms in numeric range expression")
    if bottom >= top:
        raise reader.error("Bottom must be less than top")
    return [operator, top]


def _shown(token: Token) -> str:
    """Return a token as the message has it."""
    return token.kind if token.kind in (OBJECT, END_OBJECT, ARRAY, END_ARRAY) else str(token.value)


def _anything_but(reader: TokenReader) -> Any:
    token, kind = reader.next(), ""
    if token.kind == OBJECT:
        inner = reader.next()
        if inner.kind != NAME:
            raise reader.error("Anything-But expression name not found")
        kind = inner.value
        if kind not in _LISTED:
            raise reader.error(f"Unsupported anything-but pattern: {kind}")
        token = reader.next()
    if token.kind not in (ARRAY, TEXT, NUMBER):
        raise reader.error("Value of anything-but must be an array or single string/number value.")
    read: Callable[[TokenReader, Token, str], Any] = _excluded_text if kind else _excluded_value
    value = _excluded(reader, kind, read) if token.kind == ARRAY else read(reader, token, kind)
    _end(reader, _TOO_MANY)
    if kind:
        _end(reader, _TOO_MANY)
    return {kind: value} if kind else value


def _excluded(reader: TokenReader, kind: str, read: Callable[[TokenReader, Token, str], Any]) -> list[Any]:
    """Read a list of values; AWS names the place of a fault in it twice."""
    values = []
    try:
        while (token := reader.next()).kind != END_ARRAY:
            values.append(read(reader, token, kind))
    except PatternSyntaxError as error:
        raise reader.error(str(error)) from None
    if not kind:
        _check_same_type(reader, values)
    return values


def _excluded_value(reader: TokenReader, token: Token, _kind: str) -> Any:
    if token.kind == TEXT:
        return reader.text(token)
    if token.kind != NUMBER:
        raise reader.error("Inside anything but list, start|null|boolean is not supported.")
    return _bounded(reader, token.value)


def _excluded_text(reader: TokenReader, token: Token, kind: str) -> str:
    if token.kind != TEXT:
        raise reader.error(_LISTED[kind])
    value = reader.text(token)
    if not value and kind in ("prefix", "suffix"):
        raise reader.error("Null prefix/suffix not allowed")
    if kind == "wildcard":
        _checked_stars(reader, value)
    return value


def _check_same_type(reader: TokenReader, values: list[Any]) -> None:
    if len({isinstance(value, str) for value in values}) != 1:
        reason = "either all values are number or string, mixed type is not supported"
        raise reader.error(f"Inside anything but list, {reason}")


_AFFIX = "prefix/suffix match pattern must be a string"
# What anything-but can be said of, and what is said if it is followed by something else than texts.
_LISTED: Mapping[str, str] = {
    "prefix": _AFFIX,
    "suffix": _AFFIX,
    "wildcard": "wildcard match pattern must be a string",
    "equals-ignore-case": "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
}
_COMPARISONS: Mapping[str, Callable[[TokenReader], Any]] = {
    "exactly": _one_text("exact"),
    "prefix": _affix("prefix"),
    "suffix": _affix("suffix"),
    "equals-ignore-case": _one_text("equals-ignore-case"),
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "exists": _exists,
    "cidr": _cidr,
}
