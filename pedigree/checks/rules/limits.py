"""Limits of the API: members, lengths, ranges, counts, patterns and choices of its model."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.reading import MOST_CHARACTERS
from pedigree.checks.rule import rule
from pedigree.checks.rules.types import problems
from pedigree.checks.subject import Subject


@rule("LIM001", Severity.ERROR)
def missing(subject: Subject) -> Iterator[Violation]:
    """Missing member of a request.

    The step fails when it starts.
    """
    yield from problems(subject, "missing")


@rule("LIM002", Severity.ERROR)
def unknown(subject: Subject) -> Iterator[Violation]:
    """Unknown member of a request.

    The service refuses it, or ignores it silently. A pipeline registers models in groups only, so a RegisterModel step
    has no ModelPackageName.
    """
    yield from problems(subject, "unknown")
    for step in subject.steps:
        if step.type == "RegisterModel" and "ModelPackageName" in step.arguments:
            pointer = f"{step.pointer}/Arguments/ModelPackageName"
            yield Violation(pointer, "a step registers models in groups only", "give a ModelPackageGroupName instead")


@rule("LIM003", Severity.ERROR)
def length(subject: Subject) -> Iterator[Violation]:
    """Text of a wrong length.

    Names of tuning jobs have 32 characters at most, categorical values 256, regexes of metrics 500.
    """
    yield from problems(subject, "length")


@rule("LIM004", Severity.ERROR)
def number(subject: Subject) -> Iterator[Violation]:
    """Number out of range.

    The service refuses it when the step starts.
    """
    yield from problems(subject, "range")


@rule("LIM005", Severity.ERROR)
def count(subject: Subject) -> Iterator[Violation]:
    """Too many or too few entries.

    A processing job has 10 inputs and 10 outputs at most, a training job 20 channels, 100 hyperparameters, 100
    variables and 40 metrics, a categorical range 30 values.
    """
    yield from problems(subject, "count")


@rule("LIM006", Severity.ERROR)
def pattern(subject: Subject) -> Iterator[Violation]:
    """Text that does not match its pattern.

    Names of endpoints, models and jobs have no underscore, S3 addresses begin with s3://, ARNs are complete.
    """
    yield from problems(subject, "pattern")


@rule("LIM007", Severity.ERROR)
def choice(subject: Subject) -> Iterator[Violation]:
    """Unknown choice.

    The service has a fixed list of words there. Mind capitals: File, not file.
    """
    yield from problems(subject, "choice")


@rule("LIM008", Severity.ERROR)
def definition(subject: Subject) -> Iterator[Violation]:
    """Definition that is too long.

    It has 1,048,576 characters at most, in the request or in S3.
    """
    size = len(json.dumps(subject.document))
    if size > MOST_CHARACTERS:
        cause = f"the definition has {size} characters and may have {MOST_CHARACTERS}"
        yield Violation("", cause, "move long texts into files, or split the pipeline")


@rule("LIM011", Severity.WARNING)
def machine(subject: Subject) -> Iterator[Violation]:
    """Unknown type of machine.

    The service does not have it for this use. It may be newer than the API model that is installed here; then update
    botocore.
    """
    yield from problems(subject, "machine")
