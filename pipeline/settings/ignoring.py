"""Findings of the checks that this project accepts, each with its reason."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from steps.config import Config, Unique, like


class IgnoredConfig(Config):
    """A finding to ignore."""

    code: Annotated[str, like("CST004", r"[A-Z]{3}[0-9]{0,3}")]
    step: str = ""
    reason: Annotated[str, Field(min_length=1)]


class ChecksConfig(Config):
    """What `pedigree check` ignores."""

    ignore: Unique[IgnoredConfig] = ()
    """Findings to ignore: [{code="CST004", step="Tune", reason="it is short"}]; without a step, in all steps."""
