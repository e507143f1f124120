"""What a check of the definition need not tell, because somebody has looked at it: each with its reason."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from steps.config import Config, Unique, like


class Ignored(Config):
    """A finding that is left as it is."""

    code: Annotated[str, like("CST004", r"[A-Z]{3}[0-9]{0,3}")]
    step: str = ""
    reason: Annotated[str, Field(min_length=1)]


class Checks(Config):
    """How the definition is checked."""

    ignore: Unique[Ignored] = ()
    """Findings to ignore: [{code="CST004", step="Tune", reason="it is short"}]; without a step, in all steps."""
