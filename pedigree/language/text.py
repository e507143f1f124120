"""Values and texts in messages: on one line, short, and without passwords."""

from __future__ import annotations

import json
import re

_LONGEST = 60
_PASSWORD_IN_URL = re.compile(r"//[^/\s]*@")


def clip(text: str, longest: int = _LONGEST) -> str:
    """The text, cut to a length that fits into a line."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def brief(value: object, longest: int = _LONGEST) -> str:
    """A value as JSON, cut to a length; a password in an address is left out."""
    written = json.dumps(value, default=str, ensure_ascii=False)
    return clip(_PASSWORD_IN_URL.sub("//…@", written), longest)


def printable(text: str) -> str:
    """A text with every character escaped that could end its line or control a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
