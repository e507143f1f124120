"""Cost: work that is repeated for nothing, and jobs without an end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.caching import cached_attributes
from pedigree.language.definition import Step
from pedigree.language.expressions import ExecutionReference, is_expression
from pedigree.language.pointers import at, escape

_TIMESTAMP = re.compile(r"20\d\d[-_]?[01]\d[-_]?[0-3]\d[-_T ]+[0-2]\d[-_:h]?[0-5]\d[-_:m]?[0-5]\d")
_NEW_IN_EACH_EXECUTION = ("StartDateTime", "CurrentDateTime", "PipelineExecutionId", "PipelineExecutionArn")


@rule("CST002", Severity.WARNING)
def never_hit(subject: Subject) -> Iterator[Violation]:
    """Cache that never hits.

    Something that the cache compares is different in each execution, so the step always runs.
    """
    for step in _cached(subject):
        for pointer, value in _compared_values(step):
            for reference in subject.references_in(value):
                if isinstance(reference, ExecutionReference) and reference.name in _NEW_IN_EACH_EXECUTION:
                    cause = f"Execution.{reference.name} is new in each execution, and the cache compares it"
                    yield Violation(pointer, cause, "take it out of what is compared, or switch the cache off")


@rule("CST003", Severity.WARNING)
def timestamp(subject: Subject) -> Iterator[Violation]:
    """Timestamp in a value that the cache compares.

    A key like code-2024-05-01-10-20-30 changes whenever the definition is built, so the first execution after each
    upsert computes everything again. Make the key from the content.
    """
    for step in _cached(subject):
        for pointer, value in _compared_values(step):
            match = _TIMESTAMP.search(value) if isinstance(value, str) else None
            if match:
                yield Violation(pointer, f"{match[0]} looks like a time", "make the key from the content")


@rule("CST004", Severity.NOTE)
def no_time_limit(subject: Subject) -> Iterator[Violation]:
    """Job without a time limit.

    A processing job that hangs costs a whole day.
    """
    for job in subject.jobs:
        if job.step.type == "Processing" and not at(job.request, "StoppingCondition", "MaxRuntimeInSeconds"):
            remedy = "add StoppingCondition.MaxRuntimeInSeconds"
            yield Violation(job.pointer, "it may run for a day", remedy)


def _cached(subject: Subject) -> Iterator[Step]:
    for step in subject.steps:
        if at(step.document, "CacheConfig", "Enabled") is True:
            yield step


def _compared_values(step: Step) -> Iterator[tuple[str, Any]]:
    for path, value in cached_attributes(step.type, step.arguments).items():
        yield from _leaves(value, f"{step.pointer}/Arguments/{path.replace('.', '/')}")


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """Every plain value and every expression inside a value."""
    if isinstance(value, dict) and not is_expression(value):
        for key, inner in value.items():
            yield from _leaves(inner, f"{pointer}/{escape(key)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{pointer}/{index}")
    else:
        yield pointer, value
