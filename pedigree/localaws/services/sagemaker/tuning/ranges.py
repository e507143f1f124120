"""The ranges of hyperparameters: numbers between two bounds on a scale, or a choice between texts.

The service writes every value as text. A search works with positions: numbers on a linear or logarithmic axis, which
are converted to texts and back.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pedigree.localaws.http.protocol.errors import InvalidRequestError

# A range whose bounds have at least this ratio gets a logarithmic scale, unless the request names one.
_WIDE = 100
# Above it not every whole number is a floating-point number.
_LARGEST = 2**53


@dataclass(frozen=True)
class Span:
    """Numbers between two bounds, both included."""

    name: str
    low: float
    high: float
    scale: str = "Linear"
    is_whole: bool = False

    @property
    def is_logarithmic(self) -> bool:
        return self.scale != "Linear"

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest position; on the reverse scale a position is the distance from 1."""
        return (1 - self.high, 1 - self.low) if self.scale == "ReverseLogarithmic" else (self.low, self.high)

    @property
    def count(self) -> float:
        return self.high - self.low + 1 if self.is_whole else math.inf

    def text(self, position: float) -> str:
        value = min(max(self._mirrored(position), self.low), self.high)
        return str(round(value)) if self.is_whole else repr(float(value))

    def position(self, text: str) -> float:
        low, high = self.bounds
        place = min(max(self._mirrored(float(text)), low), high)
        return round(place) if self.is_whole else place

    def holds(self, text: str) -> bool:
        number = _number(text, is_whole=self.is_whole)
        return number is not None and self.low <= number <= self.high

    def _mirrored(self, number: float) -> float:
        return 1 - number if self.scale == "ReverseLogarithmic" else number


@dataclass(frozen=True)
class Choice:
    """A choice between texts."""

    name: str
    values: tuple[str, ...]

    @property
    def count(self) -> float:
        return len(self.values)

    def holds(self, text: str) -> bool:
        return text in self.values


Dimension: TypeAlias = Span | Choice


def dimensions(ranges: Mapping[str, Any]) -> tuple[Dimension, ...]:
    """The dimensions in a ParameterRanges."""
    return (
        *(_span(document, is_whole=False) for document in ranges.get("ContinuousParameterRanges", ())),
        *(_span(document, is_whole=True) for document in ranges.get("IntegerParameterRanges", ())),
        *(Choice(document["Name"], _distinct(document)) for document in ranges.get("CategoricalParameterRanges", ())),
    )


def combinations(space: Sequence[Dimension]) -> float:
    """The number of points in a space."""
    return math.prod(dimension.count for dimension in space)


def points(space: Sequence[Dimension]) -> Iterator[Mapping[str, str]]:
    """Every point of a finite space, in order."""
    names = [dimension.name for dimension in space]
    every = [dimension.values if isinstance(dimension, Choice) else _whole_numbers(dimension) for dimension in space]
    return (dict(zip(names, values, strict=True)) for values in itertools.product(*every))


def _whole_numbers(span: Span) -> Sequence[str]:
    return [str(number) for number in range(int(span.low), int(span.high) + 1)]


def _span(document: Mapping[str, Any], *, is_whole: bool) -> Span:
    name, scaling = document["Name"], document.get("ScalingType", "Auto")
    low, high = (_number(document[bound], is_whole=is_whole) for bound in ("MinValue", "MaxValue"))
    kind = "an integer" if is_whole else "a number"
    for bound, value in (("MinValue", low), ("MaxValue", high)):
        if value is None:
            raise InvalidRequestError(f"The {bound} of hyperparameter [{name}], [{document[bound]}], is not {kind}.")
    assert low is not None
    assert high is not None
    if low >= high:
        between = f"[{document['MinValue']}], must be less than its MaxValue, [{document['MaxValue']}]"
        raise InvalidRequestError(f"The MinValue of hyperparameter [{name}], {between}.")
    span = Span(name, low, high, _fitting(low, high, is_whole=is_whole) if scaling == "Auto" else scaling, is_whole)
    if span.is_logarithmic and (span.bounds[0] <= 0 or (is_whole and span.scale != "Logarithmic")):
        where = "greater than 0" if span.scale == "Logarithmic" else "of a continuous range within 0<=x<1.0"
        raise InvalidRequestError(f"{scaling} scaling of hyperparameter [{name}] works only for values {where}.")
    if span.scale == "ReverseLogarithmic" and low < 0:
        raise InvalidRequestError(f"{scaling} scaling of hyperparameter [{name}] works only within 0<=x<1.0.")
    return span


def _fitting(low: float, high: float, *, is_whole: bool) -> str:
    """The scale that the service chooses for a range."""
    if low > 0 and high / low >= _WIDE:
        return "Logarithmic"
    if not is_whole and low >= 0 and high < 1 and (1 - low) / (1 - high) >= _WIDE:
        return "ReverseLogarithmic"
    return "Linear"


def _number(text: str, *, is_whole: bool) -> float | None:
    try:
        value = int(text) if is_whole else float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= _LARGEST else None


def _distinct(document: Mapping[str, Any]) -> tuple[str, ...]:
    values = tuple(document["Values"])
    if len(set(values)) < len(values):
        raise InvalidRequestError(f"The values of hyperparameter [{document['Name']}] must be unique.")
    return values
