"""Describes what a new definition changes about an old one, as lines for a person to approve.

Parameters, steps, fields, wiring, and the steps that lose their cached results. List entries are matched by name, so
that moving one is not reported as a change of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.language.definition import Definition, Parameter, Step
from pedigree.language.fields import as_text, contrast, differences, same
from pedigree.language.graph import Edge, edges
from pedigree.language.reuse import losses

_MOST_FIELDS = 6
_OF_A_STEP = ("Name", "Type", "Arguments")
_OF_A_DEFINITION = ("Parameters", "Steps")


def changes(old: Definition, new: Definition) -> list[str]:
    """One line for each difference; none where the two mean the same."""
    if same(old.document, new.document):
        return []
    lines = [*_parameters(old, new), *_steps(old, new), *_wiring(old, new), *_rest(old, new)]
    lost = [f"{loss.step} loses its cached results: {'; '.join(loss.reasons)}" for loss in losses(old, new)]
    return [*(lines or ["the entries have another order"]), *lost]


def _parameters(old: Definition, new: Definition) -> Iterator[str]:
    before, after = old.parameters, new.parameters
    for name, parameter in after.items():
        if name not in before:
            yield f"parameter {name} added: {parameter.type}, {_default(parameter)}"
        else:
            yield from (f"parameter {name}: {text}" for text in _parameter(before[name], parameter))
    yield from (f"parameter {name} removed" for name in before if name not in after)


def _parameter(old: Parameter, new: Parameter) -> Iterator[str]:
    if old.type != new.type:
        yield f"{old.type} → {new.type}"
    if not same(old.default, new.default):
        yield f"default {contrast(old.default, new.default)}"
    if old.choices != new.choices:
        yield f"choices: {contrast(list(old.choices), list(new.choices))}"


def _default(parameter: Parameter) -> str:
    return "no default" if parameter.default is None else f"default {as_text(parameter.default)}"


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
    if old.branch_path != new.branch_path:
        yield f"moved: {_branch(old)} → {_branch(new)}"
    yield from _fields(_members(old), _members(new))


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """The first fields that differ, and how many more there are."""
    lines = list(differences(old, new))
    yield from lines[:_MOST_FIELDS]
    if len(lines) > _MOST_FIELDS:
        yield f"and {len(lines) - _MOST_FIELDS} more fields"


def _members(step: Step) -> dict[str, Any]:
    """The arguments and other members of a step, without the steps in its branches."""
    others = {name: value for name, value in step.document.items() if name not in _OF_A_STEP}
    return {**step.own_arguments, **others}


def _branch(step: Step) -> str:
    if not step.branch_path:
        return "in no branch"
    condition, branch = step.branch_path[-1]
    return f"in the {'if' if branch else 'else'} branch of {condition}"


def _wiring(old: Definition, new: Definition) -> Iterator[str]:
    """The edges that differ between the steps of both definitions."""
    common = old.by_name().keys() & new.by_name().keys()
    before, after = _data(old), _data(new)
    for edge in after:
        if edge not in before and edge.target in common:
            yield f"wiring: {edge.target} now takes from {edge.source}"
    for edge in before:
        if edge not in after and edge.target in common:
            yield f"wiring: {edge.target} no longer takes from {edge.source}"


def _data(definition: Definition) -> list[Edge]:
    return [edge for edge in edges(definition) if edge.reason == "data"]


def _rest(old: Definition, new: Definition) -> Iterator[str]:
    before, after = (
        {name: value for name, value in definition.document.items() if name not in _OF_A_DEFINITION}
        for definition in (old, new)
    )
    yield from _fields(before, after)
