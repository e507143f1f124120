"""Random cut trees, all of a forest at once: cuts through samples at random, and what they say of other points.

A cut goes through one dimension, chosen by how far the points of its node reach there, at a place between them. A point
is the more unusual the nearer to the root a cut would separate it from all points of its tree. Nodes are numbered level
by level, the roots first; the children of a node have numbers in sequence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

_MOST_NUMBERS = 1 << 18  # in one array, while points are scored: few enough for a cache


def grown(samples: Any, generator: Any) -> Mapping[str, Any]:
    """The nodes of a forest, one tree for each of the samples, which have the same number of points."""
    trees, size, width = samples.shape
    points, nodes = samples.reshape(-1, width), np.repeat(np.arange(trees), size)
    levels, known = [], trees
    while len(points):
        level, points, nodes = _level(points, nodes, generator, known)
        levels.append(level)
        known += 2 * int(np.count_nonzero(level["child"]))
    forest = {name: np.concatenate([level[name] for level in levels]) for name in levels[0]}
    return {**forest, "trees": trees, "size": size}


def _level(points: Any, nodes: Any, generator: Any, known: int) -> tuple[dict[str, Any], Any, Any]:
    """One level of nodes, and the points that are below it with the places of their nodes in the next one."""
    order = np.argsort(nodes, kind="stable")
    points, nodes = points[order], nodes[order]
    mass = np.bincount(nodes)
    starts = np.concatenate([[0], np.cumsum(mass)[:-1]])
    low, high = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
    dimension, cut = _cuts(low, high, generator)
    is_cut: Any = (high > low).any(axis=1)
    place = np.cumsum(is_cut) - 1
    goes_right = points[np.arange(len(points)), dimension[nodes]] > cut[nodes]
    below = is_cut[nodes]
    child = np.where(is_cut, known + 2 * place, 0)  # 0 is a root, so it stands for no child
    level = {"low": low, "high": high, "dimension": dimension, "cut": cut, "child": child, "mass": mass}
    return level, points[below], (2 * place[nodes] + goes_right)[below]


def _cuts(low: Any, high: Any, generator: Any) -> tuple[Any, Any]:
    """The dimension and the place of a cut through each box; those of a single point mean nothing."""
    reach = np.cumsum(high - low, axis=1)
    drawn = np.minimum(generator.random(len(low)) * reach[:, -1], np.nextafter(reach[:, -1], 0))
    dimension = np.argmax(reach > drawn[:, None], axis=1)
    boxes = np.arange(len(low))
    before = np.where(dimension > 0, reach[boxes, dimension - 1], 0)
    first, last = low[boxes, dimension], high[boxes, dimension]
    return dimension, np.clip(first + drawn - before, first, np.nextafter(last, first))


def scores(forest: Mapping[str, Any], points: Any) -> Any:
    """The anomaly score of each point."""
    rows = max(1, _MOST_NUMBERS // (int(forest["trees"]) * points.shape[1]))
    parts = [_scores(forest, points[first : first + rows]) for first in range(0, len(points), rows)]
    return np.concatenate(parts)


def _scores(forest: Mapping[str, Any], points: Any) -> Any:
    """Follow all points through all trees, level by level.

    A tree gives the expected inverse of the depth that a point had as a leaf, if it were a point of the tree. One that
    is there already is deeper by the logarithm of how often it is there, and counts less then.
    """
    trees, size = int(forest["trees"]), int(forest["size"])
    point, node = np.repeat(np.arange(len(points)), trees), np.tile(np.arange(trees), len(points))
    stays, found, depth = np.ones(len(point)), np.zeros(len(points)), 0
    while len(point):
        separates, is_leaf = _separation(forest, points[point], node), forest["child"][node] == 0
        mass = forest["mass"][node]
        seen = np.where(is_leaf & (separates == 0), (1 - mass / (2 * size)) / (depth + np.log2(mass + 1)), 0)
        found += np.bincount(point, stays * (separates / (depth + 1) + seen), len(points))
        below = ~is_leaf & (separates < 1)
        point, node, stays = point[below], node[below], (stays * (1 - separates))[below]
        goes_right = points[point, forest["dimension"][node]] > forest["cut"][node]
        node, depth = forest["child"][node] + goes_right, depth + 1
    return found / trees * np.log2(size + 1)


def _separation(forest: Mapping[str, Any], points: Any, node: Any) -> Any:
    """How probable it is that a cut through a node's box and a point has only that point on one side."""
    low, high = forest["low"][node], forest["high"][node]
    outside = (np.maximum(low - points, 0) + np.maximum(points - high, 0)).sum(axis=1)
    whole = outside + (high - low).sum(axis=1)
    return np.divide(outside, whole, out=np.zeros(len(outside)), where=whole > 0)
