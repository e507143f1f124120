"""What a new definition changes about an old one, as lines that a person can decide on.

Parameters, steps, fields, wiring, and which steps lose the results that they have. Entries of lists are found by their
names, so that moving one around is not told as a change of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.language.definition import Definition, Parameter, Step
from pedigree.language.fields import contrast, differences, same, shown
from pedigree.language.graph import Edge, edges
from pedigree.language.reuse import losses

_MOST_FIELDS = 6
_OF_A_STEP = ("Name", "Type", "Arguments")
_OF_A_DEFINITION = ("Parameters", "Steps")


def told(old: Definition, new: Definition) -> list[str]:
    """A line for each difference; none where the two mean the same."""
    if same(old.document, new.document):
        return []
    lines = [*_parameters(old, new), *_steps(old, new), *_wiring(old, new), *_rest(old, new)]
    lost = [f"{loss.step} loses its cached results: {'; '.join(loss.reasons)}" for loss in losses(old, new)]
    return [*(lines or ["entries stand in another order"]), *lost]


def _parameters(old: Definition, new: Definition) -> Iterator[str]:
    before, after = old.parameters, new.parameters
    for name, one in after.items():
        if name not in before:
            yield f"parameter {name} added: {one.type}, {_default(one)}"
        else:
            yield from (f"parameter {name}: {text}" for text in _parameter(before[name], one))
    yield from (f"parameter {name} removed" for name in before if name not in after)


def _parameter(old: Parameter, new: Parameter) -> Iterator[str]:
    if old.type != new.type:
        yield f"{old.type} → {new.type}"
    if not same(old.default, new.default):
        yield f"default {contrast(old.default, new.default)}"
    if old.choices != new.choices:
        yield f"choices: {contrast(list(old.choices), list(new.choices))}"


def _default(parameter: Parameter) -> str:
    return "no default" if parameter.default is None else f"default {shown(parameter.default)}"


def _steps(old: Definition, new: Definition) -> Iterator[str]:
    before, after = old.by_name(), new.by_name()
    yield from (f"step {name} added: {step.type}" for name, step in after.items() if name not in before)
    yield from (f"step {name} removed" for name in before if name not in after)
    for name, step in after.items():
        if name in before:
            yield from (f"step {name}: {text}" for text in _step(before[name], step))


def _step(old: Step, new: Step) -> Iterator[str]:
    if old.type != new.type:
        yield f"{old.type} → {new.type}"
    if old.place != new.place:
        yield f"stands {_place(old)} → {_place(new)}"
    yield from _fields(_said(old), _said(new))


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """The first fields that differ, and how many more there are."""
    lines = list(differences(old, new))
    yield from lines[:_MOST_FIELDS]
    if len(lines) > _MOST_FIELDS:
        yield f"and {len(lines) - _MOST_FIELDS} more fields"


def _said(step: Step) -> dict[str, Any]:
    """What a step says, apart from the steps in its branches."""
    around = {name: value for name, value in step.document.items() if name not in _OF_A_STEP}
    return {**step.own_arguments, **around}


def _place(step: Step) -> str:
    if not step.place:
        return "in no branch"
    condition, branch = step.place[-1]
    return f"in the {'if' if branch else 'else'} branch of {condition}"


def _wiring(old: Definition, new: Definition) -> Iterator[str]:
    """Who takes from whom, among the steps that are in both."""
    stay = old.by_name().keys() & new.by_name().keys()
    before, after = _data(old), _data(new)
    for edge in after:
        if edge not in before and edge.target in stay:
            yield f"wiring: {edge.target} now takes from {edge.source}"
    for edge in before:
        if edge not in after and edge.target in stay:
            yield f"wiring: {edge.target} no longer takes from {edge.source}"


def _data(definition: Definition) -> list[Edge]:
    return [edge for edge in edges(definition) if edge.why == "data"]


def _rest(old: Definition, new: Definition) -> Iterator[str]:
    before, after = (
        {name: value for name, value in one.document.items() if name not in _OF_A_DEFINITION} for one in (old, new)
    )
    yield from _fields(before, after)
