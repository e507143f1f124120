"""A pipeline that a script defines: all that leaves the script's process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ScriptPipeline:
    """A pipeline as a script defines it; parameters are those with which the script starts it."""

    name: str
    definition: str
    role: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
