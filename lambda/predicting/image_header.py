"""Finds the type and the size of a picture from its first bytes, without a decoder.

A few kilobytes can claim to be a picture of gigabytes, which a decoder would notice too late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Literal

from predicting.errors import RequestRefusedError

MAX_PIXELS = 50_000_000
MAX_SEGMENTS = 2000  # before a JPEG's pixels; cameras write some dozens, and the endpoint refuses more as well
Size = tuple[int, int]

# Frames of a JPEG: all markers from C0 to CF but tables (C4), a reserved one (C8) and arithmetic conditioning (CC).
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MARKERS_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD8)))
_END_MARKERS = frozenset((*range(0xC0), 0xD9, 0xDA)) - _MARKERS_WITHOUT_LENGTH  # reserved markers, the end, the pixels


def content_type(content: bytes) -> str:
    """Returns the content type of a picture; raises RequestRefusedError if it is unsupported or too large."""
    detected, (width, height) = _detect_type(content), read_size(content)
    if not (width and height):
        raise RequestRefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"the {detected} has no readable size", "send a complete picture"
        )
    if width * height > MAX_PIXELS:
        cause = f"the picture has {width} × {height} pixels, more than {MAX_PIXELS}"
        raise RequestRefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, cause, "make it smaller")
    return detected


def read_size(content: bytes) -> Size:
    """Returns width and height from the header; zeros if they are not readable."""
    try:
        return _SIZES[_detect_type(content)](content)
    except (IndexError, KeyError, ValueError):
        return 0, 0


def _detect_type(content: bytes) -> str:
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    raise RequestRefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "this is not a JPEG, PNG or WebP", "send one of them")


def _jpeg_size(content: bytes) -> Size:
    offset = 2
    for _ in range(MAX_SEGMENTS):
        if content[offset] != 0xFF:
            break
        marker = content[offset + 1]
        if marker == 0xFF:  # a fill byte
            offset += 1
        elif marker in _MARKERS_WITHOUT_LENGTH:
            offset += 2
        elif marker in _FRAME_MARKERS:
            return _read_number(content, offset + 7, 2), _read_number(content, offset + 5, 2)
        elif marker in _END_MARKERS:
            break
        else:
            offset += 2 + _read_number(content, offset + 2, 2)
    raise ValueError("no frame before the pixels")


def _png_size(content: bytes) -> Size:
    if content[12:16] != b"IHDR":
        raise ValueError("no header")
    return _read_number(content, 16, 4), _read_number(content, 20, 4)


def _webp_size(content: bytes) -> Size:
    return _WEBP_SIZES[content[12:16]](content)


def _lossy_size(content: bytes) -> Size:
    if content[23:26] != b"\x9d\x01\x2a":
        raise ValueError("no key frame")
    return _read_number(content, 26, 2, "little") & 0x3FFF, _read_number(content, 28, 2, "little") & 0x3FFF


def _lossless_size(content: bytes) -> Size:
    if content[20] != 0x2F:
        raise ValueError("no signature")
    bits = _read_number(content, 21, 4, "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _canvas_size(content: bytes) -> Size:
    return _read_number(content, 24, 3, "little") + 1, _read_number(content, 27, 3, "little") + 1


def _read_number(content: bytes, offset: int, length: int, order: Literal["big", "little"] = "big") -> int:
    bytes_read = content[offset : offset + length]
    if len(bytes_read) != length:
        raise ValueError("ends too early")
    return int.from_bytes(bytes_read, order)


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
