"""The colors of boxes by type of step, for all picture formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

JOB = "Job"


@dataclass(frozen=True)
class Colors:
    """The colors of a box: fill, outline and text."""

    fill: str
    stroke: str
    text: str


_CALL = Colors("#fff0e5", "#c05621", "#4a2108")
PALETTE: Mapping[str, Colors] = {
    "Condition": Colors("#fff4d6", "#b7791f", "#3d2c00"),
    "Fail": Colors("#fde2e1", "#c53030", "#5c1212"),
    "Lambda": _CALL,
    "Callback": _CALL,
    "RegisterModel": Colors("#e9f7ec", "#2f855a", "#123b22"),
    JOB: Colors("#e8f1fd", "#2b6cb0", "#10243f"),
}


def color_key(step_type: str) -> str:
    """The key of a step's colors: its own type, or Job for most steps."""
    return step_type if step_type in PALETTE else JOB
