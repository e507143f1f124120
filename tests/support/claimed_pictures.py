"""Pictures that consist of a header only, which can claim any size."""

from __future__ import annotations

import struct
import zlib

PNG_MARK = b"\x89PNG\r\n\x1a\n"
WEBP_MARK = b"RIFF\0\0\0\0WEBP"


def png(width: int, height: int) -> bytes:
    """A PNG of a size."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG_MARK + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def jpeg(width: int, height: int) -> bytes:
    """A progressive JPEG of a size, with a comment and a filling byte before its frame."""
    return b"\xff\xd8" + b"\xff\xe0\x00\x04ab" + b"\xff\xff\xc2\x00\x11\x08" + struct.pack(">HH", height, width)


def webp(width: int, height: int) -> bytes:
    """An extended WebP with a canvas of a size."""
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return WEBP_MARK + b"VP8X" + struct.pack("<I", 10) + bytes(4) + canvas
