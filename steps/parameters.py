"""Execution parameters: settings whose value can change at every start of an execution.

ExecutionParameter marks the field of a Config; the field's value becomes the parameter's default. Steps are built from
settings in which the parameter itself stands in place of the value, so no step can freeze the value by mistake: text,
numbers, comparisons and conditions that are made of it raise a TypeError. A step that really needs the default, to
choose an image for example, says so with default_of().
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Value = str | int | float
T = TypeVar("T", bound=Value)


@dataclass(frozen=True)
class ExecutionParameter:
    """Makes a field an execution parameter. The functions take the field's Config and all settings."""

    name: str
    default: Callable[[Any, Any], Value] | None = None
    choices: Callable[[Any, Any], tuple[str, ...]] | None = None
    exists: Callable[[Any, Any], bool] | None = None


def default_of(value: T) -> T:
    """The default of a parameter, for a decision that is made when the definition is built."""
    default: T = getattr(value, "default_value", value)
    return default
