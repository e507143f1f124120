"""What a hyperparameter may be: how its text is parsed, and which values it has."""

from __future__ import annotations

import ast
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

from sagemaker_algorithm_toolkit.exceptions import UserError


@dataclass(frozen=True)
class Interval:
    """Numbers from low to high; a bound that is None is infinite, one that is open is not in it."""

    low: float | None = None
    high: float | None = None
    is_low_open: bool = False
    is_high_open: bool = False

    def __contains__(self, value: Any) -> bool:
        above = self.low is None or (value > self.low if self.is_low_open else value >= self.low)
        below = self.high is None or (value < self.high if self.is_high_open else value <= self.high)
        return above and below

    def __str__(self) -> str:
        low = "(-inf" if self.low is None else f"{'(' if self.is_low_open else '['}{self.low}"
        high = "+inf)" if self.high is None else f"{self.high}{')' if self.is_high_open else ']'}"
        return f"{low}, {high}"


@dataclass(frozen=True)
class Hyperparameter:
    """One hyperparameter: its text becomes a value, and the value or each of its items is in the range."""

    name: str
    parse: Callable[[str], Any]
    range: Container[Any]
    items: Callable[[Any], list[Any]] | None = None

    def check(self, value: Any) -> None:
        """Refuse a value outside of the range, in the words of AWS's container."""
        if self.items is None:
            if value not in self.range:
                raise UserError(f"Hyperparameter {self.name}: {value} is not in {self.range}")
        elif any(item not in self.range for item in self.items(value)):
            raise UserError(f"Hyperparameter {self.name}: value {value} not in range {self.range}")


def integer(name: str, low: float | None = None, high: float | None = None, **is_open: bool) -> Hyperparameter:
    """A whole number."""
    return Hyperparameter(name, int, Interval(low, high, **is_open))


def number(name: str, low: float | None = None, high: float | None = None, **is_open: bool) -> Hyperparameter:
    """A number."""
    return Hyperparameter(name, float, Interval(low, high, **is_open))


def one_of(name: str, *values: str) -> Hyperparameter:
    """One of some words."""
    return Hyperparameter(name, str, list(values))


def words(name: str, range: Container[Any]) -> Hyperparameter:  # noqa: A002  # as in Hyperparameter
    """Words with commas between them."""
    return Hyperparameter(name, lambda text: text.split(","), range, list)


def tuple_of(name: str, *values: int) -> Hyperparameter:
    """Numbers in parentheses."""
    return Hyperparameter(name, _literal, list(values), list)


def lists(name: str, range: Container[Any]) -> Hyperparameter:  # noqa: A002  # as in Hyperparameter
    """Lists of numbers in brackets."""
    return Hyperparameter(name, _literal, range, lambda value: [item for inner in value for item in inner])


def _literal(text: str) -> Any:
    """A value in Python's notation; ValueError for what is none."""
    try:
        return ast.literal_eval(text)
    except SyntaxError as error:
        raise ValueError(str(error)) from error
