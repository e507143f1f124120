"""References that lead nowhere, each with the kind of thing that is missing.

What a reference means is the language's to say; here its answer is sorted, so that each kind can have a rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pedigree.checks.faults import near
from pedigree.language.definition import Definition, Step
from pedigree.language.entries import LISTS
from pedigree.language.errors import UnresolvedError
from pedigree.language.expressions import (
    ExecutionReference,
    Item,
    JsonGet,
    Member,
    ParameterReference,
    Reference,
    Segment,
    StepReference,
)
from pedigree.language.references import Use, resolve
from pedigree.language.shapes import DECLARING, OPERATIONS

_DESCRIBED = (*OPERATIONS, *DECLARING, "Condition", "Fail")
"""Types of step of which it is known what they have; others may have anything."""


def lost(definition: Definition, uses: Sequence[Use]) -> Iterator[tuple[str, str, str]]:
    """Pointer, kind and cause of every reference that leads nowhere."""
    for use in uses:
        kind, cause = _judged(definition, use.step, use.reference)
        if kind:
            yield use.pointer, kind, cause
    for step in definition.all_steps():
        for index, one in enumerate(step.depends_on):
            kind, cause = _step(definition, step, one.step) if one.step else ("", "")
            if kind:
                yield f"{step.pointer}/DependsOn/{index}", kind, cause


def _judged(definition: Definition, step: Step, reference: Reference) -> tuple[str, str]:
    if isinstance(reference, (StepReference, JsonGet)):
        kind, cause = _step(definition, step, reference.step)
        known = definition.by_name().get(reference.step)
        if kind or known is None or known.type not in _DESCRIBED or _is_outside(known, reference):
            return kind, cause
    try:
        resolve(definition, reference)
    except UnresolvedError as error:
        return _kind(definition, reference), str(error)
    return "", ""


def _is_outside(known: Step, reference: StepReference | JsonGet) -> bool:
    """Whether a rule of its own judges that: a property file that is declared, whatever its output."""
    return isinstance(reference, JsonGet) and reference.property_file in {file.name for file in known.property_files}


def _step(definition: Definition, step: Step, name: str) -> tuple[str, str]:
    """Whether a step is there, and there for whoever asks."""
    steps = definition.by_name()
    if name not in steps:
        hint = near(name, steps)
        return "step", f"there is no step {name}" + (f"; {hint}" if hint else "")
    place = steps[name].place
    if step.place[: len(place)] != place:
        condition, branch = place[-1]
        where = f"the {'if' if branch else 'else'} branch of {condition}"
        return "branch", f"{name} runs in {where} only, and {step.name} is not there"
    return "", ""


def _kind(definition: Definition, reference: Reference) -> str:
    if isinstance(reference, ParameterReference):
        return "parameter"
    if isinstance(reference, ExecutionReference):
        return "variable"
    if isinstance(reference, JsonGet):
        return "property file"
    if definition.by_name()[reference.step].type in DECLARING:
        return "output"
    return _kind_of_path(reference.path)


def _kind_of_path(path: Sequence[Segment]) -> str:
    members = tuple(one.name for one in path if isinstance(one, Member))
    items = [index for index, one in enumerate(path) if isinstance(one, Item)]
    before = members[: items[0]] if items else ()
    if before and before[-1] == "TunedHyperParameters":
        return "tuned"
    return "entry" if before in LISTS or before == ("TrainingJobSummaries",) else "path"
