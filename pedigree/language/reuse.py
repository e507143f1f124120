"""Which steps a new definition makes run anew, although earlier results of them are kept, and why.

The service looks an earlier result up by the attributes that caching.py lists. A step loses its results when
one of these differs, when a parameter in one of them has another default, or when it takes something from a step that
loses its own: a new run writes elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pedigree.language.caching import cached_attributes, lifetime
from pedigree.language.definition import Definition, Step
from pedigree.language.expressions import JsonGet, ParameterReference, Reference, StepReference, references, walk
from pedigree.language.fields import same


@dataclass(frozen=True)
class Loss:
    """A step that runs anew, and the reasons, each in a few words."""

    step: str
    reasons: tuple[str, ...]


def losses(old: Definition, new: Definition) -> list[Loss]:
    """The steps of which an earlier result will do no longer, in the order of the new definition."""
    before, moved = old.by_name(), moved_defaults(old, new)
    cached = {name: step for name, step in new.by_name().items() if name in before and lifetime(before[name])}
    own = {name: list(_own(before[name], step, moved)) for name, step in cached.items()}
    lost = {name for name, reasons in own.items() if reasons}
    while more := {name for name, step in cached.items() if name not in lost and _sources(step) & lost}:
        lost |= more
    return [Loss(name, (*own[name], *_upstream(cached[name], lost))) for name in cached if name in lost]


def moved_defaults(old: Definition, new: Definition) -> set[str]:
    """The parameters that are in both, with another default."""
    return {
        name
        for name, parameter in new.parameters.items()
        if name in old.parameters and not same(parameter.default, old.parameters[name].default)
    }


def _own(old: Step, new: Step, moved: set[str]) -> Iterator[str]:
    """Why a step loses its results, apart from what its neighbours do."""
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
    used = dict.fromkeys(one.name for one in _references(new) if isinstance(one, ParameterReference))
    yield from (f"{name} has another default" for name in used if name in moved)


def _upstream(step: Step, lost: set[str]) -> Iterator[str]:
    """The neighbours for whose sake a step loses its results."""
    names = sorted(_sources(step) & lost)
    if names:
        yield f"takes from {', '.join(names)}, which run{'s' if len(names) == 1 else ''} anew"


def _sources(step: Step) -> set[str]:
    """The steps from which those attributes take something that decide about an earlier result."""
    return {one.step for one in _references(step) if isinstance(one, (StepReference, JsonGet))}


def _references(step: Step) -> Iterator[Reference]:
    for _, expression in walk(dict[str, object](cached_attributes(step.type, step.own_arguments))):
        yield from references(expression)
