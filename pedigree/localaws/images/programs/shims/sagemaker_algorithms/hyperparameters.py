"""Reads the hyperparameters of an algorithm, which are texts, and refuses what its documentation does not allow."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sagemaker_algorithm_toolkit.exceptions import UserError

AUTO = "auto"
Parser: TypeAlias = Callable[[str], Any]
Values: TypeAlias = Mapping[str, Any]


class ValidationError(Exception):
    """What AWS's containers name as the cause of a hyperparameter that they refuse."""


@dataclass(frozen=True)
class HyperparameterSpecification:
    """How a value is read; a hyperparameter without a default is required."""

    parse: Parser
    default: Any = ...


def validated(given: Mapping[str, str], known: Mapping[str, HyperparameterSpecification]) -> dict[str, Any]:
    """The values of all hyperparameters; UserError says what is wrong with them."""
    lacking = [name for name, one in known.items() if one.default is ... and name not in given]
    if lacking:
        names = ", ".join(f"'{name}'" for name in lacking)
        raise _refused(f"No value(s) were specified for {names} which are required hyperparameter(s)")
    # A search and AWS's own tools add names like _tuning_objective_metric.
    unknown = [name for name in given if name not in known and not name.startswith("_")]
    if unknown:
        names, verb = ", ".join(f"'{name}'" for name in sorted(unknown)), "were" if len(unknown) > 1 else "was"
        raise _refused(f"Additional hyperparameters are not allowed ({names} {verb} unexpected)")
    return {name: _parsed(name, given[name], one) if name in given else one.default for name, one in known.items()}


def _parsed(name: str, text: str, known: HyperparameterSpecification) -> Any:
    try:
        return known.parse(text.strip())
    except ValueError as error:
        raise _refused(f"Hyperparameter {name}: '{text}' is not {error}") from None


def _refused(words: str) -> UserError:
    return UserError(words, caused_by=ValidationError())


def integer(low: int = 1, high: float = math.inf) -> Parser:
    """Whole numbers between two others, which are among them."""
    allowed = f"an integer of at least {low}" if high == math.inf else f"an integer in [{low}, {high}]"

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise ValueError(allowed)
        return value

    return parse


def number(low: float = -math.inf, high: float = math.inf) -> Parser:
    """Numbers between two others, which are among them."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise ValueError(f"a number in [{low:g}, {high:g}]")
        return value

    return parse


def one_of(*words: str) -> Parser:
    """One of some words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return text

    return parse


def boolean(text: str) -> bool:
    """true or false; the SDK writes Python's True."""
    return one_of("true", "false")(text.lower()) == "true"


def auto_or(parse: Parser, *words: str) -> Parser:
    """The word auto, other words, or what another parser reads."""

    def read(text: str) -> Any:
        return text if text in (AUTO, *words) else parse(text)

    return read


def list_of(*words: str) -> Parser:
    """A list of words, as JSON."""

    def parse(text: str) -> list[str]:
        try:
            values = json.loads(text)
        except ValueError:
            values = None
        if not isinstance(values, list) or not values or not all(value in words for value in values):
            raise ValueError(f"a JSON list of {', '.join(words)}")
        return values

    return parse
