"""A plan as text: what a person reads before saying yes, and what a log keeps."""

from __future__ import annotations

from collections.abc import Iterator

from operations.plan import Change, Plan, Verb

_SIGNS: dict[Verb, str] = {"create": "+", "update": "~", "delete": "-"}


def lines(plan: Plan) -> Iterator[str]:
    """A line a change, the reasons below it, and a summary."""
    for change in plan.changes:
        yield line(change)
        yield from (f"      {why}" for why in change.why)
    yield summary(plan)


def line(change: Change) -> str:
    """One change in one line."""
    return f"  {_SIGNS[change.verb]} {change.kind} {change.name}"


def summary(plan: Plan) -> str:
    """How much there is to do."""
    if not plan:
        return "Nothing to change: everything is as settings have it."
    counts = ((plan.count(verb), verb) for verb in _SIGNS)
    return "To do: " + ", ".join(f"{count} to {verb}" for count, verb in counts if count) + "."
