"""The drawings of the report: SVG as text, with plain attributes, so that whatever shows SVG shows these.

Each function takes numbers and names and knows nothing of models. Names come from archives that nobody vouches for:
whatever is text is escaped here.
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
INK = "#1f2933"
FAINT = "#d5dbe3"
FONT = "system-ui, sans-serif"
Points = Sequence[tuple[float, float]]
_WIDTH, _HEIGHT = 460, 270
_TICKS = 5
_LABELED = 40  # classes: more names than this cannot be read beside a matrix
_MATRIX = 560
_CHARACTER = 6.2
_STEEPNESS = 0.87  # the sine of the 60 degrees by which the names below a matrix are turned


@dataclass(frozen=True)
class _Axes:
    """Where the numbers of a chart lie on the paper."""

    least: tuple[float, float]
    most: tuple[float, float]
    box: tuple[float, float, float, float] = (56.0, 36.0, _WIDTH - 16.0, _HEIGHT - 44.0)

    def place(self, x: float, y: float) -> tuple[float, float]:
        left, top, right, bottom = self.box
        across = (x - self.least[0]) / ((self.most[0] - self.least[0]) or 1)
        up = (y - self.least[1]) / ((self.most[1] - self.least[1]) or 1)
        return left + across * (right - left), bottom - up * (bottom - top)


def curves(title: str, series: Mapping[str, Points], *, across: str = "epoch") -> str:
    """Lines over the epochs, from zero up, one a series; one without points keeps its color free."""
    points = [point for one in series.values() for point in one]
    if not points:
        return ""
    lowest, highest = _rounded(min(0.0, *(y for _, y in points)), max(y for _, y in points))
    axes = _Axes((min(x for x, _ in points), lowest), (max(x for x, _ in points), highest))
    parts = [*_frame(axes, title, across, whole=True)]
    names_end = _WIDTH - 16.0
    for number, (name, one) in enumerate(series.items()):
        if not one:
            continue
        color = COLORS[number % len(COLORS)]
        places = [axes.place(x, y) for x, y in one]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{color}"/>' for x, y in places[-1:]]
        parts.append(_text(names_end, 14, name, anchor="end", color=color))
        names_end -= _CHARACTER * len(name) + 14
    return _svg(_WIDTH, _HEIGHT, title, parts)


def reliability(title: str, bins: Sequence[Bin]) -> str:
    """How often answers are right, by how sure they are; on the diagonal they are as good as they say."""
    axes = _Axes((0.0, 0.0), (1.0, 1.0))
    parts = [*_frame(axes, title, "confidence")]
    for number, one in enumerate(bins):
        left, bottom = axes.place(number / len(bins), 0)
        right, top = axes.place((number + 1) / len(bins), one.accuracy)
        if one.count:
            about = f"{one.count} images: {one.confidence:.0%} sure, {one.accuracy:.0%} right"
            size = f'width="{right - left - 2:.1f}" height="{max(1.0, bottom - top):.1f}"'
            bar = f'<rect x="{left + 1:.1f}" y="{min(top, bottom - 1):.1f}" {size} fill="{COLORS[0]}" opacity="0.75">'
            parts.append(f"{bar}<title>{about}</title></rect>")
    (left, bottom), (right, top) = axes.place(0, 0), axes.place(1, 1)
    ends = f'x1="{left}" y1="{bottom}" x2="{right}" y2="{top}"'
    parts.append(f'<line {ends} stroke="{COLORS[1]}" stroke-width="1.5" stroke-dasharray="5 4"/>')
    return _svg(_WIDTH, _HEIGHT, title, parts)


def matrix(title: str, table: npt.NDArray[np.int64], labels: Sequence[str]) -> str:
    """A confusion matrix: a row for what is true, a column for what was answered, darker where it is more often."""
    side = max(2.0, min(40.0, _MATRIX / len(labels)))
    shown = labels if len(labels) <= _LABELED else ()
    margin = 30 + _CHARACTER * max((min(24, len(one)) for one in shown), default=0)
    totals = np.maximum(1, table.sum(axis=1))
    length = side * len(labels)
    parts = [_text(0, 14, title, size=14)]
    parts.append(f'<rect x="{margin:.1f}" y="24" width="{length:.1f}" height="{length:.1f}" fill="#f5f7fa"/>')
    diagonal = f'x1="{margin:.1f}" y1="24" x2="{margin + length:.1f}" y2="{24 + length:.1f}"'
    parts.append(f'<line {diagonal} stroke="{FAINT}"/>')
    for row, column in np.argwhere(table):
        place = margin + column * side, 24 + row * side
        about = f"{labels[row]} answered as {labels[column]}: {table[row, column]} of {totals[row]}"
        parts.append(_cell(place, side, int(table[row, column]), float(table[row, column] / totals[row]), about))
    for number, name in enumerate(shown):
        middle = (number + 0.5) * side
        parts.append(_text(margin - 6, 24 + middle + 4, _short(name), anchor="end", size=11))
        turned = f'transform="rotate(-60 {margin + middle:.1f} {34 + length:.1f})"'
        parts.append(_text(margin + middle, 34 + length, _short(name), anchor="end", size=11, more=turned))
    width = max(margin + length + 8, 1.3 * _CHARACTER * len(title))
    return _svg(width, 40 + length + (_STEEPNESS * margin if shown else 0), title, parts)


def _cell(place: tuple[float, float], side: float, count: int, share: float, about: str) -> str:
    x, y = place
    size = f'width="{side:.2f}" height="{side:.2f}"'
    opacity = f"{0.15 + 0.85 * share:.2f}"
    box = f'<rect x="{x:.2f}" y="{y:.2f}" {size} fill="{COLORS[0]}" fill-opacity="{opacity}">'
    number = ""
    if side >= 20:
        color = "#ffffff" if share > 0.5 else INK
        number = _text(x + side / 2, y + side / 2 + 4, str(count), anchor="middle", size=11, color=color)
    return f"{box}<title>{escape(about)}</title></rect>{number}"


def _frame(axes: _Axes, title: str, across: str, *, whole: bool = False) -> Iterable[str]:
    """The title, the lines behind a chart, and the numbers beside it."""
    left, _, right, bottom = axes.box
    yield _text(0, 14, title, size=14)
    yield _text((left + right) / 2, _HEIGHT - 8, across, anchor="middle")
    for value in _ticks(axes.least[1], axes.most[1]):
        _, y = axes.place(axes.least[0], value)
        yield f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="{FAINT}"/>'
        yield _text(left - 6, y + 4, f"{value:.4g}", anchor="end")
    for value in _ticks(axes.least[0], axes.most[0], 1.0 if whole else 0.0):
        x, _ = axes.place(value, axes.least[1])
        yield _text(x, bottom + 16, f"{value:.4g}", anchor="middle")


def _ticks(least: float, most: float, smallest_step: float = 0.0) -> list[float]:
    """Round numbers between two."""
    step = _step(least, most, smallest_step)
    if not step:
        return [least]
    return [number * step for number in range(math.ceil(least / step), math.floor(most / step) + 1)]


def _rounded(least: float, most: float) -> tuple[float, float]:
    """The round numbers around two, so that a chart ends with a line and a number."""
    step = _step(least, most)
    return (math.floor(least / step) * step, math.ceil(most / step) * step) if step else (least, most)


def _step(least: float, most: float, smallest: float = 0.0) -> float:
    """From one round number to the next; 0 where there is no room for any."""
    rough = max(smallest, (most - least) / _TICKS)
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 1e-300 else 0.0
    return next((power * factor for factor in (1, 2, 5, 10) if power * factor >= rough), 0.0) if power else 0.0


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"


def _text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    size: int = 12,
    color: str = INK,
    more: str = "",
) -> str:
    look = f'font-family="{FONT}" font-size="{size}" fill="{color}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look} {more}>{escape(words)}</text>'


def _svg(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" {size}>'
    return f"{head}{''.join(parts)}</svg>"
