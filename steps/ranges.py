"""The ranges of a search: in the form of settings, and in the form of requests.

Requests have every bound and value as text, without further quotes. The training toolkit decodes each hyperparameter as
JSON and keeps text that is not JSON, so 32, 0.1 and adamw all reach the script as intended.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, model_validator

from pedigree.errors import InvalidValueError
from steps.config import Config


class Continuous(Config):
    """Any number between two others."""

    type: Literal["continuous"]
    """continuous, integer or categorical."""
    min: float
    max: float
    scaling: Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"] = "Auto"
    """Auto, Linear, Logarithmic or ReverseLogarithmic."""

    @model_validator(mode="after")
    def _ordered(self) -> Continuous:
        _check_bounds(self.min, self.max, self.scaling)
        if self.scaling == "ReverseLogarithmic" and not 0 <= self.min < self.max < 1:
            raise InvalidValueError(
                "has ReverseLogarithmic scaling, which is for ranges within 0 ≤ min < max < 1", "choose another scaling"
            )
        return self


class Integer(Config):
    """Any whole number between two others."""

    type: Literal["integer"]
    min: int
    max: int
    scaling: Literal["Auto", "Linear", "Logarithmic"] = "Auto"
    """Auto, Linear or Logarithmic."""

    @model_validator(mode="after")
    def _ordered(self) -> Integer:
        _check_bounds(self.min, self.max, self.scaling)
        return self


class Categorical(Config):
    """One of a few values."""

    type: Literal["categorical"]
    values: tuple[int | float | Annotated[str, Field(min_length=1, max_length=256)], ...] = Field(
        min_length=1, max_length=30
    )

    @model_validator(mode="after")
    def _distinct(self) -> Categorical:
        if len(set(self.values)) < len(self.values):
            raise InvalidValueError("names a value twice", "remove one of the two")
        return self


Range: TypeAlias = Annotated[Continuous | Integer | Categorical, Field(discriminator="type")]


def parameter_ranges(ranges: Mapping[str, Range]) -> dict[str, list[dict[str, Any]]]:
    """The ParameterRanges of a tuning request, without empty kinds of ranges."""
    kinds: dict[str, list[dict[str, Any]]] = {
        "ContinuousParameterRanges": [
            _bounded(name, bounds) for name, bounds in ranges.items() if isinstance(bounds, Continuous)
        ],
        "IntegerParameterRanges": [
            _bounded(name, bounds) for name, bounds in ranges.items() if isinstance(bounds, Integer)
        ],
        "CategoricalParameterRanges": [
            {"Name": name, "Values": [str(value) for value in choice.values]}
            for name, choice in ranges.items()
            if isinstance(choice, Categorical)
        ],
    }
    return {kind: members for kind, members in kinds.items() if members}


def grid_points(ranges: Mapping[str, Range]) -> int:
    """The number of points of a grid over categorical ranges."""
    return prod(len(choice.values) for choice in ranges.values() if isinstance(choice, Categorical))


def _bounded(name: str, bounds: Continuous | Integer) -> dict[str, str]:
    return {
        "Name": name,
        "MinValue": str(bounds.min),
        "MaxValue": str(bounds.max),
        "ScalingType": bounds.scaling,
    }


def _check_bounds(low: float, high: float, scaling: str) -> None:
    if low >= high:
        raise InvalidValueError(f"runs from {low:g} to {high:g}", "min must be below max")
    if scaling == "Logarithmic" and low <= 0:
        raise InvalidValueError(f"has Logarithmic scaling from {low:g}", "raise min above 0, or choose Linear")
