"""Hints for a name that does not exist: the known name that is closest to it.

Every package that reports an unknown name ends the message with one of these, so that they all suggest alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_CUTOFF = 0.5


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The question with the closest known name, empty where no name is close."""
    closest = get_close_matches(name, list(names), n=1, cutoff=_CUTOFF)
    return f"did you mean {closest[0]}?" if closest else ""


def suggest(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """A remedy in any case: the closest name, or the given alternative, or the list of all names."""
    names = list(names)
    return did_you_mean(name, names) or otherwise or f"there are {', '.join(names)}"
