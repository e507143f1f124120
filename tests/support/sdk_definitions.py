"""Definitions that both versions of the SDK have written."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "fixtures" / "sdk"
DEFINITIONS = sorted(FOLDER.glob("v?/*.json"))


def name(path: Path) -> str:
    """A definition's version and name, as in "v3/abalone"."""
    return f"{path.parent.name}/{path.stem}"
