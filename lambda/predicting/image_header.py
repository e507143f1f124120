"""What kind of picture some bytes are and how large it is, from its first bytes, without a decoder.

A few kilobytes can claim to be a picture of gigabytes; whoever decodes them would find out too late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Literal

from predicting.errors import Refused

MOST_PIXELS = 50_000_000
Size = tuple[int, int]

# Frames of a JPEG: all markers from C0 to CF but tables (C4), a reserved one (C8) and arithmetic conditioning (CC).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD8)))
_END_OF_HEADER = frozenset((*range(0xC0), 0xD9, 0xDA)) - _WITHOUT_LENGTH  # reserved ones, the end, the pixels


def kind(content: bytes) -> str:
    """The content type of a picture that may be looked at; Refused says why it may not."""
    found, (width, height) = _kind(content), size(content)
    if not (width and height):
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"the {found} does not tell its size: it is broken; mend it")
    if width * height > MOST_PIXELS:
        message = f"the picture has {width} × {height} pixels, more than {MOST_PIXELS}; make it smaller"
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
    return found


def size(content: bytes) -> Size:
    """Width and height as the picture tells them; none where it does not."""
    try:
        return _SIZES[_kind(content)](content)
    except (IndexError, KeyError, ValueError):
        return 0, 0


def _kind(content: bytes) -> str:
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "this is no JPEG, PNG or WebP; send one of them")


def _jpeg_size(content: bytes) -> Size:
    place = 2
    while content[place] == 0xFF:
        marker = content[place + 1]
        if marker == 0xFF:  # a filling byte
            place += 1
        elif marker in _WITHOUT_LENGTH:
            place += 2
        elif marker in _FRAMES:
            return _number(content, place + 7, 2), _number(content, place + 5, 2)
        elif marker in _END_OF_HEADER:
            break
        else:
            place += 2 + _number(content, place + 2, 2)
    raise ValueError("no frame before the pixels")


def _png_size(content: bytes) -> Size:
    if content[12:16] != b"IHDR":
        raise ValueError("no header")
    return _number(content, 16, 4), _number(content, 20, 4)


def _webp_size(content: bytes) -> Size:
    return _WEBP_SIZES[content[12:16]](content)


def _lossy_size(content: bytes) -> Size:
    if content[23:26] != b"\x9d\x01\x2a":
        raise ValueError("no key frame")
    return _number(content, 26, 2, "little") & 0x3FFF, _number(content, 28, 2, "little") & 0x3FFF


def _lossless_size(content: bytes) -> Size:
    if content[20] != 0x2F:
        raise ValueError("no signature")
    bits = _number(content, 21, 4, "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _canvas_size(content: bytes) -> Size:
    return _number(content, 24, 3, "little") + 1, _number(content, 27, 3, "little") + 1


def _number(content: bytes, place: int, length: int, order: Literal["big", "little"] = "big") -> int:
    digits = content[place : place + length]
    if len(digits) != length:
        raise ValueError("ends too early")
    return int.from_bytes(digits, order)


_WEBP_SIZES: Mapping[bytes, Callable[[bytes], Size]] = {
    b"VP8 ": _lossy_size,
    b"VP8L": _lossless_size,
    b"VP8X": _canvas_size,
}
_SIZES: Mapping[str, Callable[[bytes], Size]] = {
    "image/jpeg": _jpeg_size,
    "image/png": _png_size,
    "image/webp": _webp_size,
}
