"""A plan as text: what a person reads before saying yes, and what a log keeps."""

from __future__ import annotations

from collections.abc import Iterator

from operations.plan import Change, Plan, Verb

_SIGNS: dict[Verb, str] = {"create": "+", "update": "~", "delete": "-"}


NOTHING = "Nothing to change: everything is as settings have it."
NOTHING_LEFT = "Nothing to remove: none of it is there."


def lines(plan: Plan, nothing: str = NOTHING) -> Iterator[str]:
    """A line a change, the reasons below it, and a summary."""
    for change in plan.changes:
        yield line(change)
        yield from (f"      {why}" for why in change.why)
    yield summary(plan, nothing)


def line(change: Change) -> str:
    """One change in one line."""
    return f"  {_SIGNS[change.verb]} {change.kind} {change.name}"


def summary(plan: Plan, nothing: str = NOTHING) -> str:
    """How much there is to do."""
    return f"To do: {_counted(plan)}." if plan else nothing


def done(plan: Plan) -> str:
    """How much was done."""
    return f"Done: {_counted(plan)}."


def _counted(plan: Plan) -> str:
    counts = ((plan.count(verb), verb) for verb in _SIGNS)
    return ", ".join(f"{count} to {verb}" for count, verb in counts if count)
