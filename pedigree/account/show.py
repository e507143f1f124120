"""Writes a plan as text, for people and logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pedigree.account.plan import Change, Plan, Verb

_SIGNS: Mapping[Verb, str] = {"create": "+", "update": "~", "delete": "-"}
_TO_DO: Mapping[Verb, str] = {verb: f"to {verb}" for verb in _SIGNS}
_DONE: Mapping[Verb, str] = {verb: f"{verb}d" for verb in _SIGNS}

NOTHING = "Nothing to change: everything matches the settings."
NOTHING_LEFT = "Nothing to remove: nothing exists."


def lines(plan: Plan, nothing: str = NOTHING) -> Iterator[str]:
    """A line for each change, its reasons below, and a summary."""
    for change in plan.changes:
        yield line(change)
        yield from (f"      {why}" for why in change.why)
    yield summary(plan, nothing)


def line(change: Change) -> str:
    """Sign, kind and name."""
    return f"  {_SIGNS[change.verb]} {change.kind} {change.name}"


def summary(plan: Plan, nothing: str = NOTHING) -> str:
    """The number of changes to make, by verb."""
    return f"To do: {_counted(plan, _TO_DO)}." if plan else nothing


def done(plan: Plan) -> str:
    """The number of changes made, by verb."""
    return f"Done: {_counted(plan, _DONE)}."


def _counted(plan: Plan, words: Mapping[Verb, str]) -> str:
    counts = ((plan.count(verb), word) for verb, word in words.items())
    return ", ".join(f"{count} {word}" for count, word in counts if count)
