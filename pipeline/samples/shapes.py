"""Shapes as upright polygons of area 1 around their middle, so that every shape covers the same part of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin

Polygon = tuple[tuple[float, float], ...]


def turned(polygon: Polygon, angle: float) -> Polygon:
    """The polygon, turned around its middle."""
    along, across = cos(angle), sin(angle)
    return tuple((x * along - y * across, x * across + y * along) for x, y in polygon)


def area(polygon: Polygon) -> float:
    """The area of a polygon."""
    following = polygon[1:] + polygon[:1]
    return abs(sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in zip(polygon, following, strict=True))) / 2


def _spiked(radii: Sequence[float], first: float = 0.0) -> Polygon:
    """Corners all around, at these distances from the middle in turn, from so many steps right of the top."""
    step = 2 * pi / len(radii)
    angles = (step * (first + turn) for turn in range(len(radii)))
    return _of_area_one(
        tuple((radius * sin(angle), -radius * cos(angle)) for angle, radius in zip(angles, radii, strict=True))
    )


def _cross() -> Polygon:
    half = ((3.0, -1.0), (3.0, 1.0), (1.0, 1.0), (1.0, 3.0), (-1.0, 3.0), (-1.0, 1.0))
    return _of_area_one(half + tuple((-x, -y) for x, y in half))


def _of_area_one(polygon: Polygon) -> Polygon:
    scale = area(polygon) ** -0.5
    return tuple((x * scale, y * scale) for x, y in polygon)


POLYGONS = {
    "disc": _spiked([1] * 72),
    "cross": _cross(),
    "triangle": _spiked([1] * 3),
    "star": _spiked([1, 0.5] * 5),
    "square": _spiked([1] * 4, first=0.5),
}
