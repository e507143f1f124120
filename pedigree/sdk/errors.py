"""The errors of loading a script: each is one line with its cause and its remedy."""

from __future__ import annotations

from pedigree.errors import Mistake


class ScriptError(Mistake):
    """A script gives no pipeline definition."""
