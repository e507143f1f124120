"""Places the boxes of a picture in layers from top to bottom, with few crossings.

graph-layout computes the layers, their order and the columns. This module adds the heights of boxes and the routes of
edges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from graph_layout import SugiyamaLayout

from pedigree.language.graph import Edge

Point: TypeAlias = tuple[float, float]
GAP = 46.0
_LAYER = 100.0


@dataclass(frozen=True)
class Size:
    """The size of a box or of the whole picture."""

    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """The centers of the boxes, the points of the edges, and the size of the picture."""

    centers: Mapping[str, Point]
    routes: Mapping[tuple[str, str], Sequence[Point]]
    size: Size


def layout(sizes: Mapping[str, Size], edges: Sequence[Edge]) -> Layout:
    """Place boxes of these sizes."""
    if not sizes:
        return Layout({}, {}, Size(GAP, GAP))
    column = max(size.width for size in sizes.values()) + GAP
    raw, bends = _sugiyama(list(sizes), edges, column)
    across = [x for points in (raw.values(), *bends.values()) for x, _ in points]
    left, right = min(across) - column / 2, max(across) + column / 2
    rows = _rows({name: _layer(point) for name, point in raw.items()}, sizes)

    def placed(point: Point) -> Point:
        return point[0] - left, rows[_layer(point)]

    centers = {name: placed(point) for name, point in raw.items()}
    routes = {
        (a, b): [centers[a], *(placed(point) for point in between), centers[b]] for (a, b), between in bends.items()
    }
    bottom = max(centers[name][1] + size.height / 2 for name, size in sizes.items())
    return Layout(centers, routes, Size(right - left, bottom + GAP / 2))


def _sugiyama(
    names: Sequence[str], edges: Sequence[Edge], column: float
) -> tuple[dict[str, Point], dict[tuple[str, str], list[Point]]]:
    """A point on a grid of columns and layers for every name, and the points between the ends of every edge."""
    index = {name: number for number, name in enumerate(names)}
    pairs = list(dict.fromkeys((edge.source, edge.target) for edge in edges))
    drawing = SugiyamaLayout(
        nodes=[{} for _ in names],
        links=[{"source": index[source], "target": index[target]} for source, target in pairs],
        size=(column * (len(names) + len(pairs) + 2), _LAYER * (len(names) + 2)),
        random_seed=0,
        layer_separation=_LAYER,
        node_separation=column,
    )
    # Centering would move the boxes and leave the bends of the edges behind.
    drawing.run(center_graph=False)
    points = {name: (node.x, node.y) for name, node in zip(names, drawing.nodes, strict=True)}
    return points, {(a, b): drawing.edge_bends.get((index[a], index[b]), []) for a, b in pairs}


def _layer(point: Point) -> int:
    return int(point[1] // _LAYER)


def _rows(layers: Mapping[str, int], sizes: Mapping[str, Size]) -> dict[int, float]:
    """The vertical center of every layer: each as high as its highest box."""
    centers, top = {}, GAP / 2
    for layer in sorted(set(layers.values())):
        height = max(sizes[name].height for name, at in layers.items() if at == layer)
        centers[layer] = top + height / 2
        top += height + GAP
    return centers
