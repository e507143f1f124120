"""Refuses JPEGs that a decoder would spend minutes on, before it sees them.

Pillow reads each segment of a header in Python, and libjpeg goes over all pixels for each scan. A few megabytes can
hold a million of the one or of the other; cameras write some dozens.
"""

from __future__ import annotations

from errors import DataError

MAX_SEGMENTS = 2000
MAX_SCANS = 100
_START, _SCAN = b"\xff\xd8", b"\xff\xda"
_SCAN_MARKER = 0xDA
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xDA)))


def check(content: bytes) -> None:
    """Raises DataError for a JPEG with too many segments before its pixels, or too many scans of them."""
    if not content.startswith(_START):
        return
    if not _ends_soon(content):
        raise DataError(f"has more than {MAX_SEGMENTS} segments before its pixels", "save it anew")
    if content.count(_SCAN) > MAX_SCANS:
        raise DataError(f"has more than {MAX_SCANS} scans", "save it anew, not progressive")


def _ends_soon(content: bytes) -> bool:
    """Whether the header ends, in one way or another, within the allowed number of segments."""
    position = 2
    for _ in range(MAX_SEGMENTS):
        # Decoders skip what is no marker.
        position = content.find(b"\xff", position)
        while content[position : position + 1] == b"\xff":
            position += 1
        if position < 0 or position >= len(content) or content[position] == _SCAN_MARKER:
            return True
        has_length = content[position] not in _WITHOUT_LENGTH and content[position] != 0
        position += 1 + (int.from_bytes(content[position + 1 : position + 3], "big") if has_length else 0)
    return False
