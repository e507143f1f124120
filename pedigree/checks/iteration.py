"""What only the steps inside of a ForEach step can refer to: the item of the round, and one another.

Such steps stand in its arguments. They are no steps of the definition: the service makes new ones of them each round.
"""

from __future__ import annotations

from typing import Any

from pedigree.checks.jobs import entries
from pedigree.language.definition import Step
from pedigree.language.expressions import JsonGet, Reference, StepReference

_ROOTS = ("ForEach.", "IterationOutput.")


def is_own(step: Step, value: Any) -> bool:
    """Whether an expression is one that has a meaning inside of such a step only."""
    path = value.get("Get") if isinstance(value, dict) else None
    return step.type == "ForEach" and isinstance(path, str) and path.startswith(_ROOTS)


def is_inside(step: Step, reference: Reference) -> bool:
    """Whether a reference goes from one of the steps inside to another."""
    if step.type != "ForEach" or not isinstance(reference, (StepReference, JsonGet)):
        return False
    return any(one.get("Name") == reference.step for _, one in entries(step.arguments.get("ForEachBody")))
