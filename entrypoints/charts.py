"""Draws the charts of the report as SVG text.

Each function takes numbers and names, and knows nothing about models. The names come from archives that are not
trusted, so all text is escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

from scores import Bin

COLORS = ("#2b6cb0", "#c05621", "#2f855a", "#b7791f", "#6b46c1", "#c53030")
TEXT_COLOR = "#1f2933"
GRID_COLOR = "#d5dbe3"
FONT = "system-ui, sans-serif"
Points = Sequence[tuple[float, float]]
_WIDTH, _HEIGHT = 460, 270
_TICKS = 5
_MAX_LABELED = 40  # classes: more names than this are not readable beside a matrix
_MATRIX_SIDE = 560
_CHARACTER_WIDTH = 6.2
_LABEL_SLOPE = 0.87  # the sine of the 60 degrees by which the names below a matrix are rotated


@dataclass(frozen=True)
class _Axes:
    """Maps the values of a chart to positions in the drawing."""

    lower: tuple[float, float]
    upper: tuple[float, float]
    box: tuple[float, float, float, float] = (56.0, 36.0, _WIDTH - 16.0, _HEIGHT - 44.0)

    def position(self, x: float, y: float) -> tuple[float, float]:
        left, top, right, bottom = self.box
        across = (x - self.lower[0]) / ((self.upper[0] - self.lower[0]) or 1)
        up = (y - self.lower[1]) / ((self.upper[1] - self.lower[1]) or 1)
        return left + across * (right - left), bottom - up * (bottom - top)


def curves(title: str, series: Mapping[str, Points], *, across: str = "epoch") -> str:
    """Draws one line per series, from zero up. A series without points keeps its color reserved."""
    points = [point for line_points in series.values() for point in line_points]
    if not points:
        return ""
    lowest, highest = _round_limits(min(0.0, *(y for _, y in points)), max(y for _, y in points))
    axes = _Axes((min(x for x, _ in points), lowest), (max(x for x, _ in points), highest))
    parts = [*_frame(axes, title, across, whole_numbers=True)]
    names_end = _WIDTH - 16.0
    for number, (name, line_points) in enumerate(series.items()):
        if not line_points:
            continue
        color = COLORS[number % len(COLORS)]
        positions = [axes.position(x, y) for x, y in line_points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in positions)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{color}"/>' for x, y in positions[-1:]]
        parts.append(_text(names_end, 14, name, anchor="end", color=color))
        names_end -= _CHARACTER_WIDTH * len(name) + 14
    return _svg(_WIDTH, _HEIGHT, title, parts)


def reliability(title: str, bins: Sequence[Bin]) -> str:
    """Draws accuracy by confidence. A model with good calibration lies on the diagonal."""
    axes = _Axes((0.0, 0.0), (1.0, 1.0))
    parts = [*_frame(axes, title, "confidence")]
    for number, line_points in enumerate(bins):
        left, bottom = axes.position(number / len(bins), 0)
        right, top = axes.position((number + 1) / len(bins), line_points.accuracy)
        if line_points.count:
            tooltip = f"{line_points.count} images: {line_points.confidence:.0%} sure, {line_points.accuracy:.0%} right"
            size = f'width="{right - left - 2:.1f}" height="{max(1.0, bottom - top):.1f}"'
            bar = f'<rect x="{left + 1:.1f}" y="{min(top, bottom - 1):.1f}" {size} fill="{COLORS[0]}" opacity="0.75">'
            parts.append(f"{bar}<title>{tooltip}</title></rect>")
    (left, bottom), (right, top) = axes.position(0, 0), axes.position(1, 1)
    ends = f'x1="{left}" y1="{bottom}" x2="{right}" y2="{top}"'
    parts.append(f'<line {ends} stroke="{COLORS[1]}" stroke-width="1.5" stroke-dasharray="5 4"/>')
    return _svg(_WIDTH, _HEIGHT, title, parts)


def matrix(title: str, table: npt.NDArray[np.int64], labels: Sequence[str]) -> str:
    """Draws a confusion matrix: rows are true classes, columns are predictions, darker cells are more frequent."""
    side = max(2.0, min(40.0, _MATRIX_SIDE / len(labels)))
    shown_labels = labels if len(labels) <= _MAX_LABELED else ()
    margin = 30 + _CHARACTER_WIDTH * max((min(24, len(line_points)) for line_points in shown_labels), default=0)
    totals = np.maximum(1, table.sum(axis=1))
    length = side * len(labels)
    parts = [_text(0, 14, title, size=14)]
    parts.append(f'<rect x="{margin:.1f}" y="24" width="{length:.1f}" height="{length:.1f}" fill="#f5f7fa"/>')
    diagonal = f'x1="{margin:.1f}" y1="24" x2="{margin + length:.1f}" y2="{24 + length:.1f}"'
    parts.append(f'<line {diagonal} stroke="{GRID_COLOR}"/>')
    for row, column in np.argwhere(table):
        position = margin + column * side, 24 + row * side
        tooltip = f"{labels[row]} answered as {labels[column]}: {table[row, column]} of {totals[row]}"
        parts.append(_cell(position, side, int(table[row, column]), float(table[row, column] / totals[row]), tooltip))
    for number, name in enumerate(shown_labels):
        middle = (number + 0.5) * side
        parts.append(_text(margin - 6, 24 + middle + 4, _shorten(name), anchor="end", size=11))
        rotation = f'transform="rotate(-60 {margin + middle:.1f} {34 + length:.1f})"'
        parts.append(_text(margin + middle, 34 + length, _shorten(name), anchor="end", size=11, extra=rotation))
    width = max(margin + length + 8, 1.3 * _CHARACTER_WIDTH * len(title))
    return _svg(width, 40 + length + (_LABEL_SLOPE * margin if shown_labels else 0), title, parts)


def _cell(position: tuple[float, float], side: float, count: int, share: float, tooltip: str) -> str:
    x, y = position
    size = f'width="{side:.2f}" height="{side:.2f}"'
    opacity = f"{0.15 + 0.85 * share:.2f}"
    box = f'<rect x="{x:.2f}" y="{y:.2f}" {size} fill="{COLORS[0]}" fill-opacity="{opacity}">'
    number = ""
    if side >= 20:
        color = "#ffffff" if share > 0.5 else TEXT_COLOR
        number = _text(x + side / 2, y + side / 2 + 4, str(count), anchor="middle", size=11, color=color)
    return f"{box}<title>{escape(tooltip)}</title></rect>{number}"


def _frame(axes: _Axes, title: str, across: str, *, whole_numbers: bool = False) -> Iterable[str]:
    """Yields the title, the grid lines and the numbers on the axes."""
    left, _, right, bottom = axes.box
    yield _text(0, 14, title, size=14)
    yield _text((left + right) / 2, _HEIGHT - 8, across, anchor="middle")
    for value in _ticks(axes.lower[1], axes.upper[1]):
        _, y = axes.position(axes.lower[0], value)
        yield f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="{GRID_COLOR}"/>'
        yield _text(left - 6, y + 4, f"{value:.4g}", anchor="end")
    for value in _ticks(axes.lower[0], axes.upper[0], 1.0 if whole_numbers else 0.0):
        x, _ = axes.position(value, axes.lower[1])
        yield _text(x, bottom + 16, f"{value:.4g}", anchor="middle")


def _ticks(lower: float, upper: float, smallest_step: float = 0.0) -> list[float]:
    """Returns the round numbers between two limits."""
    step = _step(lower, upper, smallest_step)
    if not step:
        return [lower]
    return [number * step for number in range(math.ceil(lower / step), math.floor(upper / step) + 1)]


def _round_limits(lower: float, upper: float) -> tuple[float, float]:
    """Widens two limits to round numbers, so that a chart ends with a grid line."""
    step = _step(lower, upper)
    return (math.floor(lower / step) * step, math.ceil(upper / step) * step) if step else (lower, upper)


def _step(lower: float, upper: float, smallest: float = 0.0) -> float:
    """Returns a round distance between ticks; 0 if the limits are too close together."""
    rough = max(smallest, (upper - lower) / _TICKS)
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 1e-300 else 0.0
    return next((power * factor for factor in (1, 2, 5, 10) if power * factor >= rough), 0.0) if power else 0.0


def _shorten(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    size: int = 12,
    color: str = TEXT_COLOR,
    extra: str = "",
) -> str:
    style = f'font-family="{FONT}" font-size="{size}" fill="{color}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style} {extra}>{escape(text)}</text>'


def _svg(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" {size}>'
    return f"{head}{''.join(parts)}</svg>"
