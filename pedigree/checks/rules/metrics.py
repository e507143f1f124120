"""Metrics: the expressions that read them from the log, tried, and the objective of a search."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.jobs import Image, Job, at, entries, image
from pedigree.checks.logs import could_print
from pedigree.checks.reading import brief
from pedigree.checks.rule import rule
from pedigree.checks.samples import UntriableError, compiled, read
from pedigree.checks.subject import Subject

_SMALL = ("1e-05", "1e+05")
_NOT_FINITE = ("nan", "inf")


def _definitions(subject: Subject) -> Iterator[tuple[Job, str, Mapping[str, Any]]]:
    for job in subject.jobs:
        for index, one in entries(job.get("AlgorithmSpecification", "MetricDefinitions")):
            yield job, job.place(f"AlgorithmSpecification/MetricDefinitions/{index}"), one


def _regexes(subject: Subject) -> Iterator[tuple[Job, str, str, str]]:
    """Those that can be tried: job, pointer, name of the metric, expression."""
    for job, pointer, one in _definitions(subject):
        written = one.get("Regex")
        pattern = compiled(written) if isinstance(written, str) else None
        if isinstance(written, str) and pattern and pattern.groups:
            yield job, f"{pointer}/Regex", str(one.get("Name", "")), written


@rule("SCR001", Severity.ERROR)
def readable(subject: Subject) -> Iterator[Spot]:
    """A metric's expression that is none, or has no group.

    The value is what the first group of the regular expression matches.
    """
    for _, pointer, one in _definitions(subject):
        written = one.get("Regex")
        pattern = compiled(written) if isinstance(written, str) else None
        if isinstance(written, str) and not pattern:
            yield Spot(f"{pointer}/Regex", f"{brief(written)} is no regular expression", "mend it")
        elif pattern and not pattern.groups:
            yield Spot(f"{pointer}/Regex", f"{brief(written)} has no group", "put the value into (…)")


@rule("SCR002", Severity.WARNING)
def exponents(subject: Subject) -> Iterator[Spot]:
    """A metric's expression that misreads 1e-05.

    [0-9.]+ reads "1" from 1e-05, so that the smallest loss looks like a large one, and the search takes the worst
    job for the best.
    """
    for _, pointer, name, written in _regexes(subject):
        for value in _SMALL:
            got = _tried(written, value)
            if got is not None and _number(got) != float(value):
                told = f"reads {got!r} from {value}" if got else f"does not read {value}"
                yield Spot(pointer, f"the expression of {name} {told}", r"use ([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)")
                break


@rule("SCR003", Severity.NOTE)
def not_finite(subject: Subject) -> Iterator[Spot]:
    """A metric's expression that does not read nan or inf.

    A training that has diverged then reports nothing, and a search without an objective value has no best job.
    """
    for _, pointer, name, written in _regexes(subject):
        missed = [value for value in _NOT_FINITE if _tried(written, value) == ""]
        if missed:
            cause = f"the expression of {name} does not read {' and '.join(missed)}"
            yield Spot(pointer, cause, "add |nan|inf to the group")


@rule("SCR004", Severity.ERROR)
def objective(subject: Subject) -> Iterator[Spot]:
    """An objective that is none of the metrics.

    A search reads its objective from the log by the metric definition of that name. Algorithms of AWS's own bring
    theirs, scripts do not.
    """
    for job in subject.jobs:
        if job.step.type != "Tuning":
            continue
        place, name = _objective(job)
        known = [str(one.get("Name")) for _, one in entries(job.get("AlgorithmSpecification", "MetricDefinitions"))]
        if isinstance(name, str) and name not in known and (known or _runs_a_script(subject, job)):
            hint = subject.near(name, known) or "add a metric definition of that name"
            yield Spot(place, f"no metric is named {name}", hint)


@rule("SCR005", Severity.WARNING)
def printed(subject: Subject) -> Iterator[Spot]:
    """A metric that the script never prints.

    Checked where scripts are given: none of the lines that they can write matches the expression.
    """
    if not subject.beside.scripts:
        return
    for _, pointer, name, written in _regexes(subject):
        try:
            possible = could_print(subject.beside.scripts, written)
        except UntriableError:
            continue
        if not possible:
            yield Spot(pointer, f"no script prints a line for {name}", "print it, or mend the expression")


@rule("SCR010", Severity.ERROR)
def names(subject: Subject) -> Iterator[Spot]:
    """Two metrics with one name.

    Which of them is the objective nobody can say.
    """
    seen: set[tuple[str, str]] = set()
    for job, pointer, one in _definitions(subject):
        key = (job.pointer, str(one.get("Name")))
        if key in seen:
            yield Spot(f"{pointer}/Name", f"{key[1]} is defined twice", "remove one of them")
        seen.add(key)


def _objective(job: Job) -> tuple[str, Any]:
    own = job.get("TuningObjective", "MetricName")
    if own is not None:
        return job.place("TuningObjective/MetricName"), own
    path = ("HyperParameterTuningJobConfig", "HyperParameterTuningJobObjective", "MetricName")
    return "/".join((job.step.pointer, "Arguments", *path)), at(job.step.arguments, *path)


def _runs_a_script(subject: Subject, job: Job) -> bool:
    found: Image | None = image(subject.plain(job.get(*job.image)))
    return bool(found and found.is_pytorch) or "sagemaker_program" in job.fixed


def _tried(written: str, value: str) -> str | None:
    """What is read, empty if nothing, None if it could not be tried."""
    try:
        return read(written, value) or ""
    except UntriableError:
        return None


def _number(text: str) -> float:
    try:
        return float(text.strip())
    except ValueError:
        return math.nan
