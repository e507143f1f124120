"""Limits of the API: members, lengths, ranges, counts, patterns and choices, as its model has them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.reading import MOST_CHARACTERS
from pedigree.checks.rule import rule
from pedigree.checks.rules.types import told
from pedigree.checks.subject import Subject


def _told(subject: Subject, kind: str) -> Iterator[Spot]:
    yield from told(tuple(subject.faults.get(kind, ())))


@rule("LIM001", Severity.ERROR)
def missing(subject: Subject) -> Iterator[Spot]:
    """A request lacks a member that it needs.

    The step fails when it starts.
    """
    yield from _told(subject, "missing")


@rule("LIM002", Severity.ERROR)
def unknown(subject: Subject) -> Iterator[Spot]:
    """A member that the request does not have.

    The service refuses it, or leaves it out without a word.
    """
    yield from _told(subject, "unknown")


@rule("LIM003", Severity.ERROR)
def length(subject: Subject) -> Iterator[Spot]:
    """A text that is too long or too short.

    Names of tuning jobs have 32 characters at most, categorical values 256, regexes of metrics 500.
    """
    yield from _told(subject, "length")


@rule("LIM004", Severity.ERROR)
def number(subject: Subject) -> Iterator[Spot]:
    """A number out of its range.

    The service says so when the step starts.
    """
    yield from _told(subject, "range")


@rule("LIM005", Severity.ERROR)
def count(subject: Subject) -> Iterator[Spot]:
    """Too many or too few entries.

    A processing job has 10 inputs and 10 outputs at most, a training job 20 channels, 100 hyperparameters, 100
    variables and 40 metrics, a categorical range 30 values.
    """
    yield from _told(subject, "count")


@rule("LIM006", Severity.ERROR)
def pattern(subject: Subject) -> Iterator[Spot]:
    """A text that is not of the form that the service takes.

    Names of endpoints, models and jobs have no underscore, S3 addresses begin with s3://, ARNs are complete.
    """
    yield from _told(subject, "pattern")


@rule("LIM007", Severity.ERROR)
def choice(subject: Subject) -> Iterator[Spot]:
    """A word that is none of those that the service knows.

    Mind capitals: File, not file.
    """
    yield from _told(subject, "choice")


@rule("LIM008", Severity.ERROR)
def definition(subject: Subject) -> Iterator[Spot]:
    """A definition that is too long.

    It has 1,048,576 characters at most, whether it is sent or lies in S3.
    """
    size = len(json.dumps(subject.document))
    if size > MOST_CHARACTERS:
        cause = f"the definition has {size} characters and may have {MOST_CHARACTERS}"
        yield Spot("", cause, "move long texts into files, or split the pipeline")


@rule("LIM011", Severity.WARNING)
def machine(subject: Subject) -> Iterator[Spot]:
    """A machine that the service does not have for this use.

    It may be one that came after the API model that is installed here; then update botocore.
    """
    yield from _told(subject, "machine")
