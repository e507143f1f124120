"""The content of a picture: a box for every step with a note and parameters, and the edges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pedigree.language.conditions import SIGNS, Comparison, Condition, In, Not, conditions
from pedigree.language.definition import Definition, Step
from pedigree.language.errors import ExpressionError
from pedigree.language.expressions import Join, JsonGet, ParameterReference, StepReference, Value, parse
from pedigree.language.graph import Edge, edges, without_shortcuts
from pedigree.language.references import Use, uses


@dataclass(frozen=True)
class Box:
    """A step: name, type, a note with its condition or message, and the parameters that it uses."""

    name: str
    type: str
    note: str
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """The boxes and the edges."""

    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


def picture(definition: Definition, found: Sequence[Use] | None = None) -> Picture:
    """The picture of a definition, without edges that a longer path implies.

    Found are its references, where not all can be read.
    """
    used: dict[str, dict[str, None]] = {}
    for use in uses(definition) if found is None else found:
        if isinstance(use.reference, ParameterReference):
            used.setdefault(use.step.name, {})[use.reference.name] = None
    boxes = tuple(_box(step, used.get(step.name, {})) for step in definition.all_steps())
    return Picture(boxes, tuple(without_shortcuts(edges(definition, found))))


def _box(step: Step, used: Iterable[str]) -> Box:
    note = _note(step)
    return Box(step.name, step.type, note, tuple(name for name in used if name not in note))


def _note(step: Step) -> str:
    try:
        if step.type == "Condition":
            return " and ".join(_condition(condition) for condition in conditions(step))
        return _text(parse(step.arguments.get("ErrorMessage", ""))) if step.type == "Fail" else ""
    except ExpressionError:
        return "?"  # the checker says what is wrong; the step is drawn all the same


def _condition(condition: Condition) -> str:
    if isinstance(condition, Comparison):
        return f"{_text(condition.left)} {SIGNS[condition.type]} {_text(condition.right)}"
    if isinstance(condition, In):
        return f"{_text(condition.value)} in {', '.join(_text(choice) for choice in condition.choices)}"
    if isinstance(condition, Not):
        return f"not ({_condition(condition.condition)})"
    return " or ".join(f"({_condition(inner)})" for inner in condition.conditions)


def _text(value: Value) -> str:
    """An expression as a short text."""
    if isinstance(value, Join):
        return value.on.join(_text(part) for part in value.values)
    if isinstance(value, JsonGet):
        return value.path.removesuffix(".value").rpartition(".")[2]
    if isinstance(value, StepReference):
        return f"{{{value.step}}}"
    return value.name if isinstance(value, ParameterReference) else str(getattr(value, "name", value))
