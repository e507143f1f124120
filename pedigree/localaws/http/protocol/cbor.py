"""Reads and writes CBOR (RFC 8949), as far as AWS's protocol with it goes. Pure.

Times are numbers here, as in the JSON protocols; what is written as one is a Timestamp.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Sequence
from typing import Any

_DEEPEST = 100
_INDEFINITE, _BREAK = 31, 0xFF
_EPOCH = 1
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}


class CborError(ValueError):
    """Content that is no CBOR, or has what AWS's protocol has not."""


class Timestamp(float):
    """Seconds since 1970 that are written as a time."""


def decode(content: bytes) -> Any:
    """Return the value in a body; bytes come as base64, as in JSON."""
    reader = _Reader(content)
    try:
        value = reader.value(_DEEPEST)
    except (IndexError, KeyError, struct.error, UnicodeDecodeError):
        raise CborError("the content ends too early or is no CBOR") from None
    if reader.position != len(content):
        raise CborError("something follows the content")
    return value


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self.position = 0

    def value(self, depth: int) -> Any:
        """Read a value, which may be as deep as this."""
        if not depth:
            raise CborError(f"the content is nested deeper than {_DEEPEST} levels")
        first = self._take(1)[0]
        major, low = first >> 5, first & 31
        if major == 7:
            return self._simple(low)
        if low == _INDEFINITE:
            return self._indefinite(major, depth)
        number = low if low < min(_WIDTHS) else int.from_bytes(self._take(_WIDTHS[low]), "big")
        if major in (0, 1):
            return number if major == 0 else -1 - number
        if major in (2, 3):
            return _text(major, self._take(number))
        if major == 4:
            return [self.value(depth - 1) for _ in range(self._bounded(number))]
        if major == 5:
            return _mapping([self.value(depth - 1) for _ in range(2 * self._bounded(number))])
        return self._tagged(number, depth)

    def _take(self, length: int) -> bytes:
        end = self.position + length
        if end > len(self._content):
            raise CborError("the content ends too early")
        taken = self._content[self.position : end]
        self.position = end
        return taken

    def _bounded(self, number: int) -> int:
        """Refuse a number of items that there are no bytes for."""
        if number > len(self._content) - self.position:
            raise CborError("the content ends too early")
        return number

    def _simple(self, low: int) -> Any:
        if low in _FLOATS:
            return struct.unpack(_FLOATS[low], self._take(_WIDTHS[low]))[0]
        if low not in _SIMPLE:
            raise CborError(f"there is no simple value {low}")
        return _SIMPLE[low]

    def _indefinite(self, major: int, depth: int) -> Any:
        if major in (2, 3):
            return "".join(map(str, self._until_break(depth)))
        if major == 4:
            return list(self._until_break(depth))
        if major == 5:
            return _mapping(list(self._until_break(depth)))
        raise CborError("a number has no length")

    def _until_break(self, depth: int) -> Iterator[Any]:
        while self._content[self.position] != _BREAK:
            yield self.value(depth - 1)
        self.position += 1

    def _tagged(self, tag: int, depth: int) -> Any:
        value = self.value(depth - 1)
        if tag != _EPOCH or isinstance(value, bool) or not isinstance(value, (int, float)):
            raise CborError(f"the tag {tag} is not supported")
        return value


def _mapping(items: Sequence[Any]) -> dict[str, Any]:
    """Return names and values, which follow each other, as a mapping."""
    names, values = items[::2], items[1::2]
    if len(names) != len(values) or not all(isinstance(name, str) for name in names):
        raise CborError("a name is no text, or has no value")
    return dict(zip(names, values, strict=True))


def _text(major: int, content: bytes) -> str:
    return content.decode() if major == 3 else base64.b64encode(content).decode()


def encode(value: Any) -> bytes:
    """Return a value as CBOR."""
    return b"".join(_encoded(value))


def _encoded(value: Any) -> Iterator[bytes]:
    if isinstance(value, Timestamp):
        yield _head(6, _EPOCH)
        yield b"\xfb" + struct.pack(">d", value)
    elif value is None or isinstance(value, bool):
        yield {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
    elif isinstance(value, int):
        yield _head(0, value) if value >= 0 else _head(1, -1 - value)
    elif isinstance(value, float):
        yield b"\xfb" + struct.pack(">d", value)
    elif isinstance(value, (str, bytes)):
        content = value.encode() if isinstance(value, str) else value
        yield _head(3 if isinstance(value, str) else 2, len(content)) + content
    elif isinstance(value, dict):
        yield _head(5, len(value))
        for key, item in value.items():
            yield from _encoded(key)
            yield from _encoded(item)
    else:
        yield _head(4, len(value))
        for item in value:
            yield from _encoded(item)


def _head(major: int, number: int) -> bytes:
    if number < min(_WIDTHS):
        return bytes([major << 5 | number])
    low, width = next((low, width) for low, width in _WIDTHS.items() if number < 1 << 8 * width)
    return bytes([major << 5 | low]) + number.to_bytes(width, "big")
