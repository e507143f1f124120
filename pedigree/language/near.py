"""Words for a user who wrote something else than was meant."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 60


def meant(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """What was probably meant; or else what could be written, or all that there is."""
    names = list(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else otherwise or f"there are {', '.join(names)}"


def shown(value: object) -> str:
    """A value as settings write it, if it is not too long for a line; a password in an address is not repeated."""
    text = re.sub(r"//[^/\s]*@", "//…@", json.dumps(value, default=str, ensure_ascii=False))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
