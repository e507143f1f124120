"""ForEach steps: the steps of their body, which run once for each item of a list, and what the service asks of them.

The steps of a body are not steps of the definition: the service makes new ones in each iteration, Body-0, Body-1 …
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.language.definition import Definition, Step, read_step
from pedigree.language.errors import DefinitionError
from pedigree.language.expressions import IterationReference, JsonGet, Reference, StepReference, is_expression, parse
from pedigree.language.pointers import entries
from pedigree.language.text import brief

FOR_EACH = "ForEach"
_NOT_INSIDE = ("Condition", "Fail", FOR_EACH)
_MOST_AT_ONCE = 50
_MOST_ITEMS = 100
_PICKS = ("MaxBy", "MinBy")


def is_inside(step: Step, reference: Reference) -> bool:
    """Whether a reference leads to a step in the body of this ForEach step."""
    if step.type != FOR_EACH or not isinstance(reference, (StepReference, JsonGet)):
        return False
    return any(inner.get("Name") == reference.step for _, inner in entries(step.arguments.get("ForEachBody")))


def body(step: Step) -> tuple[Step, ...]:
    """The steps in the body of a ForEach step; none for a step of another type."""
    written = step.arguments.get("ForEachBody") if step.type == FOR_EACH else None
    steps = written if isinstance(written, list) else []
    return tuple(
        read_step(item, f"{step.pointer}/Arguments/ForEachBody/{index}", step.branch_path)
        for index, item in enumerate(steps)
    )


def selected_field(step: Step) -> IterationReference | None:
    """The value by which a ForEach step selects one of its iterations, if it does."""
    field = (step.arguments.get("Selector") or {}).get("Field")
    parsed = parse(field)
    return parsed if isinstance(parsed, IterationReference) else None


def check(definition: Definition) -> None:
    """Raise DefinitionError for a ForEach step that the service refuses."""
    taken = set(definition.by_name())
    for step in definition.all_steps():
        for cause in _faults(step, taken) if step.type == FOR_EACH else ():
            raise DefinitionError(f"{step.pointer}: {cause}")


def _faults(step: Step, taken: set[str]) -> Iterator[str]:
    arguments, inner = step.arguments, body(step)
    items, at_once = arguments.get("IterableItems"), arguments.get("MaxConcurrency")
    is_list = isinstance(items, list) and 1 <= len(items) <= _MOST_ITEMS
    if not is_list and not is_expression(items):
        yield f"IterableItems of {step.name} is {brief(items)}; write 1 to {_MOST_ITEMS} items, or an expression"
    if not isinstance(at_once, int) or isinstance(at_once, bool) or not 1 <= at_once <= _MOST_AT_ONCE:
        yield f"MaxConcurrency of {step.name} is {brief(at_once)}; write a number from 1 to {_MOST_AT_ONCE}"
    if not inner:
        yield f"{step.name} has no steps in ForEachBody"
    yield from _faults_of_names(inner, taken)
    yield from _faults_of_selector(step, [each.name for each in inner])


def _faults_of_names(inner: tuple[Step, ...], taken: set[str]) -> Iterator[str]:
    for step in inner:
        if step.type in _NOT_INSIDE:
            yield f"{step.name} is a {step.type} step, which cannot be inside of a ForEach step"
        if step.name in taken or any(re.fullmatch(rf"{re.escape(step.name)}-\d+", name) for name in taken):
            yield f"{step.name} inside of a ForEach step has the name of another step, or of one of its iterations"
        taken.add(step.name)


def _faults_of_selector(step: Step, names: list[str]) -> Iterator[str]:
    selector = step.arguments.get("Selector")
    if selector is None:
        return
    if not isinstance(selector, Mapping) or selector.get("Pick") not in _PICKS:
        yield f"Selector of {step.name} is {brief(selector)}; its Pick is {' or '.join(_PICKS)}"
        return
    field: Any = selected_field(step)
    if field is None or not field.path or field.root.partition(".")[2] not in names:
        yield f"Field of {step.name}'s Selector is no value of a step in its body; write IterationOutput.Step.Member"
