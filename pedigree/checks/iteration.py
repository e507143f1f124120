"""The references that only steps inside a ForEach step can use: the item of the iteration, and one another.

These steps stand in the arguments of the ForEach step. They are not steps of the definition: the service makes new
ones in each iteration.
"""

from __future__ import annotations

from typing import Any

from pedigree.language.definition import Step
from pedigree.language.expressions import JsonGet, Reference, StepReference
from pedigree.language.pointers import entries

_ROOTS = ("ForEach.", "IterationOutput.")


def is_own(step: Step, value: Any) -> bool:
    """Whether an expression has a meaning inside this ForEach step only."""
    path = value.get("Get") if isinstance(value, dict) else None
    return step.type == "ForEach" and isinstance(path, str) and path.startswith(_ROOTS)


def is_inside(step: Step, reference: Reference) -> bool:
    """Whether a reference leads to another step inside this ForEach step."""
    if step.type != "ForEach" or not isinstance(reference, (StepReference, JsonGet)):
        return False
    return any(inner.get("Name") == reference.step for _, inner in entries(step.arguments.get("ForEachBody")))
