"""Writes the settings that fit a data set as a TOML file, which lies on top of the project's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.data.fitting import FittedSettings


def text(fitted: FittedSettings, source: str) -> str:
    """The file's text: the reasons as comments, then every value by its dotted key."""
    comments = [f"# {reason}" for reason in fitted.reasons]
    values = {**fitted.values, "data": {**fitted.values["data"], "source": source}}
    return "\n".join([*comments, *(f"{key} = {json.dumps(value)}" for key, value in _leaves(values))]) + "\n"


def _leaves(tree: Mapping[str, Any], around: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{around}{name}.")
        else:
            yield f"{around}{name}", value
