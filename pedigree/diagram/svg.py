"""Writes a picture as a self-contained SVG: no script, no font, no network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from textwrap import wrap

from pedigree.diagram.layout import Layout, Point, Size, layout
from pedigree.diagram.palette import PALETTE, color_key
from pedigree.diagram.picture import Box, Picture
from pedigree.language.graph import Edge

_WIDTH = 270.0
_LINE = 15.0
_WRAP = 40
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; fill: #1a202c; }
.name { font-size: 14px; font-weight: 600; }
.type { font-size: 10px; fill: #4a5568; }
.note { font-size: 11px; font-style: italic; }
.parameter { font-size: 11px; fill: #4a5568; }
.route { fill: none; stroke: #718096; stroke-width: 1.5; }
.label, .halo { font-size: 11px; font-weight: 600; fill: #4a5568; }
.halo { fill: #ffffff; stroke: #ffffff; stroke-width: 4; }
.page { fill: #ffffff; }
"""


def svg(picture: Picture, title: str) -> str:
    """The SVG document of a picture."""
    sizes = {box.name: _size(box) for box in picture.boxes}
    placed = layout(sizes, picture.edges)
    width, height = placed.size.width, placed.size.height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-labelledby="title">',
        f'<title id="title">{_xml(title)}</title>',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#718096"/></marker></defs>',
        f'<rect class="page" width="{width:.0f}" height="{height:.0f}" rx="10"/>',
        *(_route(edge, placed, sizes) for edge in picture.edges),
        *(part for box in picture.boxes for part in _box(box, placed.centers[box.name], sizes[box.name])),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _details(box: Box) -> list[tuple[str, str]]:
    """The lines below the name, each with its CSS class."""
    notes = [("note", line) for line in wrap(box.note, _WRAP)]
    return notes + [("parameter", line) for line in wrap(" · ".join(box.parameters), _WRAP, break_long_words=False)]


def _size(box: Box) -> Size:
    return Size(_WIDTH, 44 + _LINE * len(_details(box)))


def _box(box: Box, center: Point, size: Size) -> Iterator[str]:
    colors = PALETTE[color_key(box.type)]
    x, y = center[0] - size.width / 2, center[1] - size.height / 2
    outline = _outline(box.type, x, y, size)
    yield f'<path d="{outline}" fill="{colors.fill}" stroke="{colors.stroke}" stroke-width="1.5"/>'
    yield f'<text class="name" x="{center[0]:.1f}" y="{y + 20:.1f}" text-anchor="middle">{_xml(box.name)}</text>'
    yield f'<text class="type" x="{center[0]:.1f}" y="{y + 34:.1f}" text-anchor="middle">{_xml(box.type)}</text>'
    for index, (style, line) in enumerate(_details(box), start=1):
        at = y + 35 + _LINE * index
        yield f'<text class="{style}" x="{center[0]:.1f}" y="{at:.1f}" text-anchor="middle">{_xml(line)}</text>'


def _outline(step_type: str, x: float, y: float, size: Size) -> str:
    """A hexagon for a Condition step, a rounded box for other steps."""
    right, bottom, middle = x + size.width, y + size.height, y + size.height / 2
    if step_type == "Condition":
        return _path((x + 16, y), (right - 16, y), (right, middle), (right - 16, bottom), (x + 16, bottom), (x, middle))
    corner = 7
    left_side, right_side = (x + corner, right - corner)
    return (
        f"M{left_side:.1f},{y:.1f} H{right_side:.1f} Q{right:.1f},{y:.1f} {right:.1f},{y + corner:.1f} "
        f"V{bottom - corner:.1f} Q{right:.1f},{bottom:.1f} {right_side:.1f},{bottom:.1f} "
        f"H{left_side:.1f} Q{x:.1f},{bottom:.1f} {x:.1f},{bottom - corner:.1f} "
        f"V{y + corner:.1f} Q{x:.1f},{y:.1f} {left_side:.1f},{y:.1f} z"
    )


def _path(*points: Point) -> str:
    return "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in points) + " z"


def _route(edge: Edge, placed: Layout, sizes: dict[str, Size]) -> str:
    points = list(placed.routes[(edge.source, edge.target)])
    (x0, y0), (x1, y1) = points[0], points[-1]
    points[0], points[-1] = (x0, y0 + sizes[edge.source].height / 2), (x1, y1 - sizes[edge.target].height / 2)
    line = f'<path class="route" d="{_curve(points)}" marker-end="url(#arrow)"/>'
    if not edge.is_branch:
        return line
    x, y = (points[0][0] + points[1][0]) / 2, (points[0][1] + points[1][1]) / 2
    # The halo is a separate text: not every renderer can paint a stroke below its fill.
    return line + "".join(
        f'<text class="{style}" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{edge.reason}</text>'
        for style in ("halo", "label")
    )


def _xml(text: str) -> str:
    """A text escaped for XML; characters that XML cannot contain become the replacement character."""
    return escape(_UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text))


def _curve(points: Sequence[Point]) -> str:
    """A curve through the points that leaves and arrives vertically."""
    path = f"M{points[0][0]:.1f},{points[0][1]:.1f}"
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        path += f" C{x0:.1f},{middle:.1f} {x1:.1f},{middle:.1f} {x1:.1f},{y1:.1f}"
    return path
