"""A picture as Mermaid text, which GitHub, GitLab and many editors draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from diagram.picture import Box, Picture
from language.graph import Edge

_SHAPES = {"Condition": ("{{", "}}"), "Fail": ("([", "])")}
_STYLES = {
    "Condition": "fill:#fff4d6,stroke:#b7791f,color:#3d2c00",
    "Fail": "fill:#fde2e1,stroke:#c53030,color:#5c1212",
    "Lambda": "fill:#fff0e5,stroke:#c05621,color:#4a2108",
    "Callback": "fill:#fff0e5,stroke:#c05621,color:#4a2108",
    "RegisterModel": "fill:#e9f7ec,stroke:#2f855a,color:#123b22",
    "Job": "fill:#e8f1fd,stroke:#2b6cb0,color:#10243f",
}


def mermaid(picture: Picture) -> str:
    """The text of a flowchart, from top to bottom."""
    # A name is no identifier in Mermaid: end is a word there, and a hyphen may begin an arrow.
    ids = {box.name: f"step{number}" for number, box in enumerate(picture.boxes, start=1)}
    boxes = (_box(box, ids[box.name]) for box in picture.boxes)
    lines = ["flowchart TD", *boxes, *(_edge(edge, ids) for edge in picture.edges)]
    return "\n    ".join([*lines, *_classes(picture)]) + "\n"


def _box(box: Box, identifier: str) -> str:
    before, after = _SHAPES.get(box.type, ("[", "]"))
    details = [box.note] if box.note else []
    details += [" · ".join(box.parameters)] if box.parameters else []
    text = "<br/>".join([f"<b>{_safe(box.name)}</b>", *(f"<small>{_safe(detail)}</small>" for detail in details)])
    return f'{identifier}{before}"{text}"{after}:::{_kind(box)}'


def _edge(edge: Edge, ids: Mapping[str, str]) -> str:
    label = f"|{edge.why}|" if edge.why in ("true", "false") else ""
    return f"{ids[edge.source]} -->{label} {ids[edge.target]}"


def _classes(picture: Picture) -> Iterator[str]:
    for kind in dict.fromkeys(_kind(box) for box in picture.boxes):
        yield f"classDef {kind} {_STYLES[kind]}"


def _kind(box: Box) -> str:
    return box.type if box.type in _STYLES else "Job"


def _safe(text: str) -> str:
    """Text in which nothing is read as Mermaid or as HTML."""
    return "".join(
        character if character.isalnum() or character in " ._,()·≥≤=+/" else f"#{ord(character)};" for character in text
    )
