"""Finds the steps whose cached results a new definition cannot reuse, and why.

The service looks up an earlier result by the attributes that caching.py lists. A step loses its results when one of
these differs, when a parameter in one of them has another default, or when it takes a value from a step that loses its
own: a new run writes elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pedigree.language.caching import cached_attributes, lifetime
from pedigree.language.definition import Definition, Step
from pedigree.language.expressions import JsonGet, ParameterReference, Reference, StepReference, references, walk
from pedigree.language.fields import same


@dataclass(frozen=True)
class LostReuse:
    """A step whose results cannot be reused, and the reasons."""

    step: str
    reasons: tuple[str, ...]


def losses(old: Definition, new: Definition) -> list[LostReuse]:
    """The steps that lose their results, in the order of the new definition."""
    before, changed = old.by_name(), changed_defaults(old, new)
    cached = {name: step for name, step in new.by_name().items() if name in before and lifetime(before[name])}
    own = {name: list(_own(before[name], step, changed)) for name, step in cached.items()}
    lost = {name for name, reasons in own.items() if reasons}
    while more := {name for name, step in cached.items() if name not in lost and _sources(step) & lost}:
        lost |= more
    return [LostReuse(name, (*own[name], *_upstream(cached[name], lost))) for name in cached if name in lost]


def changed_defaults(old: Definition, new: Definition) -> set[str]:
    """The parameters of both definitions whose default differs."""
    return {
        name
        for name, parameter in new.parameters.items()
        if name in old.parameters and not same(parameter.default, old.parameters[name].default)
    }


def _own(old: Step, new: Step, changed: set[str]) -> Iterator[str]:
    """The reasons in the step itself."""
    if lifetime(new) is None:
        yield "its cache is switched off"
        return
    for key in ("Type", "FunctionArn", "SqsQueueUrl"):
        if old.document.get(key) != new.document.get(key):
            yield f"{key} differs"
    before, after = (cached_attributes(step.type, step.own_arguments) for step in (old, new))
    for name in dict.fromkeys([*before, *after]):
        if not same(before.get(name), after.get(name)):
            yield f"{name} differs"
    used = dict.fromkeys(ref.name for ref in _references(new) if isinstance(ref, ParameterReference))
    yield from (f"{name} has another default" for name in used if name in changed)


def _upstream(step: Step, lost: set[str]) -> Iterator[str]:
    """The reason in other steps: it takes values from steps that lose their results."""
    names = sorted(_sources(step) & lost)
    if names:
        yield f"takes from {', '.join(names)}, which must run again"


def _sources(step: Step) -> set[str]:
    """The steps that the compared attributes take values from."""
    return {ref.step for ref in _references(step) if isinstance(ref, (StepReference, JsonGet))}


def _references(step: Step) -> Iterator[Reference]:
    for _, expression in walk(dict[str, object](cached_attributes(step.type, step.own_arguments))):
        yield from references(expression)
