"""What a picture of a definition shows: a box for every step, what each is about, and which waits for which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pedigree.language.conditions import SIGNS, Comparison, Condition, In, Not, conditions
from pedigree.language.definition import Definition, Step
from pedigree.language.expressions import Join, JsonGet, ParameterReference, StepReference, Value, parse
from pedigree.language.graph import Edge, edges, without_shortcuts
from pedigree.language.references import uses


@dataclass(frozen=True)
class Box:
    """A step: its name and type, what it decides or says, and the parameters that change it."""

    name: str
    type: str
    note: str
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """All that is drawn."""

    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


def picture(definition: Definition) -> Picture:
    """The picture of a definition; an edge that a longer way makes superfluous is left out."""
    used: dict[str, dict[str, None]] = {}
    for use in uses(definition):
        if isinstance(use.reference, ParameterReference):
            used.setdefault(use.step.name, {})[use.reference.name] = None
    boxes = tuple(_box(step, used.get(step.name, {})) for step in definition.all_steps())
    return Picture(boxes, tuple(without_shortcuts(edges(definition))))


def _box(step: Step, used: Iterable[str]) -> Box:
    note = _note(step)
    return Box(step.name, step.type, note, tuple(name for name in used if name not in note))


def _note(step: Step) -> str:
    if step.type == "Condition":
        return " and ".join(_said(one) for one in conditions(step))
    if step.type == "Fail":
        return _text(parse(step.arguments.get("ErrorMessage", "")))
    return ""


def _said(condition: Condition) -> str:
    if isinstance(condition, Comparison):
        return f"{_text(condition.left)} {SIGNS[condition.type]} {_text(condition.right)}"
    if isinstance(condition, In):
        return f"{_text(condition.value)} in {', '.join(_text(one) for one in condition.choices)}"
    if isinstance(condition, Not):
        return f"not ({_said(condition.condition)})"
    return " or ".join(f"({_said(one)})" for one in condition.conditions)


def _text(value: Value) -> str:
    """An expression in the fewest words that still say what it is."""
    if isinstance(value, Join):
        return value.on.join(_text(one) for one in value.values)
    if isinstance(value, JsonGet):
        return value.path.removesuffix(".value").rpartition(".")[2]
    if isinstance(value, StepReference):
        return f"{{{value.step}}}"
    return value.name if isinstance(value, ParameterReference) else str(getattr(value, "name", value))
