"""Textures as fields: high where a pattern is of the one color, low where it is of the other.

Only the order of a field's values counts: drawing.py colors half of a shape by the higher ones and half by the lower,
in the same tones for every texture, so that no texture has colors of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.float64]
_TURN = 2 * np.pi


@dataclass(frozen=True)
class Plane:
    """Where a picture's pixels lie in the pattern, in periods, and how many periods the picture spans."""

    across: Field
    along: Field
    periods: float


Texture = Callable[[Plane, np.random.RandomState], Field]


def _striped(plane: Plane, _random: np.random.RandomState) -> Field:
    return _sine(plane.across)


def _checked(plane: Plane, _random: np.random.RandomState) -> Field:
    return _sine(plane.across / 2) * _sine(plane.along / 2)


def _dotted(plane: Plane, _random: np.random.RandomState) -> Field:
    """Rows of dots, every other row shifted by half."""
    row = np.floor(plane.along)
    beside = (plane.across + row / 2) % 1 - 0.5
    return np.asarray(beside**2 + (plane.along - row - 0.5) ** 2)


def _waved(plane: Plane, _random: np.random.RandomState) -> Field:
    return _sine(plane.across + _sine(plane.along / 3) * 0.7)


def _ringed(plane: Plane, _random: np.random.RandomState) -> Field:
    return _sine(np.sqrt(plane.across**2 + plane.along**2))


def _rayed(plane: Plane, random: np.random.RandomState) -> Field:
    """Five to seven rays of each color from the middle."""
    return _sine(random.randint(5, 8) * np.arctan2(plane.along, plane.across) / _TURN)


def _grainy(plane: Plane, random: np.random.RandomState) -> Field:
    return _noise(plane, random, per_period=5)


def _blotched(plane: Plane, random: np.random.RandomState) -> Field:
    return _noise(plane, random, per_period=1)


def _sine(turns: Field) -> Field:
    return np.asarray(np.sin(_TURN * turns))


def _noise(plane: Plane, random: np.random.RandomState, per_period: float) -> Field:
    """Random heights, so many a period, with smooth land between them."""
    side = max(2, round(plane.periods * per_period))
    heights = Image.fromarray(random.random_sample((side, side)).astype(np.float32))
    size = plane.across.shape[1], plane.across.shape[0]
    return np.asarray(heights.resize(size, Image.Resampling.BICUBIC), dtype=np.float64)


FIELDS: dict[str, Texture] = {
    "Striped": _striped,
    "Checked": _checked,
    "Dotted": _dotted,
    "Waved": _waved,
    "Ringed": _ringed,
    "Rayed": _rayed,
    "Grainy": _grainy,
    "Blotched": _blotched,
}
