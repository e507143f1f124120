"""Encoded words (RFC 2047), as S3 reads and writes them in the metadata of objects."""

from __future__ import annotations

import base64
import binascii
import quopri
import re

_ENCODED_WORD = re.compile(r"=\?utf-8\?([bq])\?([^?]*)\?=", re.IGNORECASE)
_SAFE = frozenset(range(33, 127)) - frozenset(b"=?_")


def mail_safe(value: str) -> str:
    """A text as it is if it is printable ASCII, otherwise as an encoded word: in quotes if most of it is ASCII."""
    if all(character == "\t" or " " <= character <= "~" for character in value):
        return value
    if sum(" " <= character <= "~" for character in value) * 2 <= len(value):
        return f"=?UTF-8?B?{base64.b64encode(value.encode()).decode()}?="
    word = "".join(
        "_" if byte == ord(" ") else chr(byte) if byte in _SAFE else f"={byte:02X}" for byte in value.encode()
    )
    return f"=?UTF-8?Q?{word}?="


def _quoted(byte: int) -> str:
    if byte == ord(" "):
        return "_"
    return chr(byte) if byte in _SAFE else f"={byte:02X}"


def normal(value: str) -> str:
    """A text as S3 gives it back: what an encoded word says, written anew."""
    match = _ENCODED_WORD.fullmatch(value)
    return value if match is None else mail_safe(_decoded(match[1].lower(), match[2]))


def _decoded(kind: str, text: str) -> str:
    if kind == "q":
        return quopri.decodestring(text.encode(), header=True).decode(errors="replace")
    digits = text.rstrip("=").replace("=", "/")  # AWS takes a padding inside for the last of the digits
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4)).decode(errors="replace")
    except (binascii.Error, ValueError):
        return text
