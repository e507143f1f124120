"""A row of the tables."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WrongSettings:
    """A settings file; the line and the key that the answer must name; and words of its cause and its remedy."""

    text: str
    line: int
    key: str
    cause: str
    remedy: str
