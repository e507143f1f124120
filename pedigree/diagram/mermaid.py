"""Writes a picture as Mermaid text, which GitHub, GitLab and many editors draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pedigree.diagram.palette import PALETTE, color_key
from pedigree.diagram.picture import Box, Picture
from pedigree.language.graph import Edge

_SHAPES = {"Condition": ("{{", "}}"), "Fail": ("([", "])")}


def mermaid(picture: Picture) -> str:
    """A flowchart from top to bottom."""
    # Names cannot be identifiers in Mermaid: end is a keyword, and a hyphen may begin an arrow.
    ids = {box.name: f"step{number}" for number, box in enumerate(picture.boxes, start=1)}
    boxes = (_box(box, ids[box.name]) for box in picture.boxes)
    lines = ["flowchart TD", *boxes, *(_edge(edge, ids) for edge in picture.edges)]
    return "\n    ".join([*lines, *_classes(picture)]) + "\n"


def _box(box: Box, identifier: str) -> str:
    before, after = _SHAPES.get(box.type, ("[", "]"))
    details = [box.note] if box.note else []
    details += [" · ".join(box.parameters)] if box.parameters else []
    text = "<br/>".join([f"<b>{_safe(box.name)}</b>", *(f"<small>{_safe(detail)}</small>" for detail in details)])
    return f'{identifier}{before}"{text}"{after}:::{color_key(box.type)}'


def _edge(edge: Edge, ids: Mapping[str, str]) -> str:
    label = f"|{edge.reason}|" if edge.is_branch else ""
    return f"{ids[edge.source]} -->{label} {ids[edge.target]}"


def _classes(picture: Picture) -> Iterator[str]:
    for name in dict.fromkeys(color_key(box.type) for box in picture.boxes):
        colors = PALETTE[name]
        yield f"classDef {name} fill:{colors.fill},stroke:{colors.stroke},color:{colors.text}"


def _safe(text: str) -> str:
    """A text escaped so that nothing in it is Mermaid or HTML."""
    return "".join(
        character if character.isalnum() or character in " ._,()·≥≤=+/" else f"#{ord(character)};" for character in text
    )
