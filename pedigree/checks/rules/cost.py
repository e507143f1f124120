"""Cost: work that is done again for nothing, and jobs without an end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.jobs import at
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.caching import attributes
from pedigree.language.definition import Step
from pedigree.language.expressions import ExecutionReference, escaped, is_expression

_CLOCK = re.compile(r"20\d\d[-_]?[01]\d[-_]?[0-3]\d[-_T ]+[0-2]\d[-_:h]?[0-5]\d[-_:m]?[0-5]\d")
_NEW_EACH_TIME = ("StartDateTime", "CurrentDateTime", "PipelineExecutionId", "PipelineExecutionArn")


@rule("CST002", Severity.WARNING)
def never_hit(subject: Subject) -> Iterator[Spot]:
    """A cache that can never hit.

    Something that the cache compares is different in every execution, so the step always runs.
    """
    for step in _cached(subject):
        for pointer, value in _compared(step):
            for one in subject.references_in(value):
                if isinstance(one, ExecutionReference) and one.name in _NEW_EACH_TIME:
                    cause = f"Execution.{one.name} is new in every execution, and the cache compares it"
                    yield Spot(pointer, cause, "take it out of what is compared, or switch the cache off")


@rule("CST003", Severity.WARNING)
def clock(subject: Subject) -> Iterator[Spot]:
    """A time in something that the cache compares.

    A key like code-2024-05-01-10-20-30 changes whenever the definition is built, so the first execution after each
    upsert computes everything again. Make the key from the content.
    """
    for step in _cached(subject):
        for pointer, value in _compared(step):
            match = _CLOCK.search(value) if isinstance(value, str) else None
            if match:
                yield Spot(pointer, f"{match[0]} looks like a time", "make the key from the content")


@rule("CST004", Severity.NOTE)
def endless(subject: Subject) -> Iterator[Spot]:
    """A job without a limit of time.

    A processing job that hangs is paid for a day.
    """
    for job in subject.jobs:
        if job.step.type == "Processing" and not at(job.request, "StoppingCondition", "MaxRuntimeInSeconds"):
            yield Spot(job.pointer, f"{job.step.name} may run for a day", "add StoppingCondition.MaxRuntimeInSeconds")


def _cached(subject: Subject) -> Iterator[Step]:
    for step in subject.steps:
        if at(step.document, "CacheConfig", "Enabled") is True:
            yield step


def _compared(step: Step) -> Iterator[tuple[str, Any]]:
    for path, value in attributes(step.type, step.arguments).items():
        yield from _leaves(value, f"{step.pointer}/Arguments/{path.replace('.', '/')}")


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """Every value that is looked at, expressions whole."""
    if isinstance(value, dict) and not is_expression(value):
        for key, inner in value.items():
            yield from _leaves(inner, f"{pointer}/{escaped(key)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{pointer}/{index}")
    else:
        yield pointer, value
