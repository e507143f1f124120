"""Metrics: the regexes that read them from the log, tried on sample lines, and the objective of a search."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.aws import xgboost
from pedigree.aws.ecr import parse_address
from pedigree.checks.finding import Severity, Violation
from pedigree.checks.jobs import JobRequest
from pedigree.checks.printed_lines import can_print
from pedigree.checks.rule import rule
from pedigree.checks.sample_lines import NoSampleError, compile_regex, read_value
from pedigree.checks.subject import Subject
from pedigree.language.near import did_you_mean
from pedigree.language.pointers import at, entries
from pedigree.language.text import brief

_EXPONENTS = ("1e-05", "1e+05")
_NOT_FINITE = ("nan", "inf")


@rule("SCR001", Severity.ERROR)
def malformed(subject: Subject) -> Iterator[Violation]:
    """Malformed regex of a metric, or one without a group.

    The value is what the first group of the regular expression matches.
    """
    for _, pointer, metric in _definitions(subject):
        regex = metric.get("Regex")
        pattern = compile_regex(regex) if isinstance(regex, str) else None
        if isinstance(regex, str) and not pattern:
            yield Violation(f"{pointer}/Regex", f"{brief(regex)} is not a regular expression", "correct it")
        elif pattern and not pattern.groups:
            yield Violation(f"{pointer}/Regex", f"{brief(regex)} has no group", "put the value into (…)")


@rule("SCR002", Severity.WARNING)
def exponents(subject: Subject) -> Iterator[Violation]:
    """Regex of a metric that misreads 1e-05.

    [0-9.]+ reads "1" from 1e-05, so that the smallest loss looks like a large one, and the search takes the worst
    job for the best.
    """
    for _, pointer, name, regex in _regexes(subject):
        for value in _EXPONENTS:
            read = _read(regex, value)
            if read is not None and _number(read) != float(value):
                result = f"reads {read!r} from {value}" if read else f"does not read {value}"
                remedy = r"use ([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)"
                yield Violation(pointer, f"the regex of {name} {result}", remedy)
                break


@rule("SCR003", Severity.NOTE)
def not_finite(subject: Subject) -> Iterator[Violation]:
    """Regex of a metric that does not read nan or inf.

    A training that has diverged then reports nothing, and a search without an objective value has no best job.
    """
    for _, pointer, name, regex in _regexes(subject):
        missed = [value for value in _NOT_FINITE if _read(regex, value) == ""]
        if missed:
            cause = f"the regex of {name} does not read {' and '.join(missed)}"
            yield Violation(pointer, cause, "add |nan|inf to the group")


@rule("SCR004", Severity.ERROR)
def objective(subject: Subject) -> Iterator[Violation]:
    """Unknown objective metric.

    A search reads its objective from the log by the metric definition of that name. AWS's own algorithms bring their
    metrics, and XGBoost's image does so for scripts, too; other scripts have none.
    """
    for job in subject.jobs:
        if job.step.type != "Tuning":
            continue
        pointer, name = _objective(job)
        metrics = entries(job.get("AlgorithmSpecification", "MetricDefinitions"))
        names = [str(metric.get("Name")) for _, metric in metrics]
        if isinstance(name, str) and name not in names and (names or _has_no_metrics(subject, job)):
            remedy = did_you_mean(name, names) or "add a metric definition of that name"
            yield Violation(pointer, f"no metric is named {name}", remedy)


@rule("SCR005", Severity.WARNING)
def never_printed(subject: Subject) -> Iterator[Violation]:
    """Metric that the script never prints.

    Checked where scripts are given: none of the lines that they can print matches the regex.
    """
    scripts = subject.evidence.scripts
    for _, pointer, name, regex in _regexes(subject) if scripts else ():
        try:
            possible = can_print(scripts, regex)
        except NoSampleError:
            continue
        if not possible:
            yield Violation(pointer, f"no script prints a line for {name}", "print it, or correct the regex")


@rule("SCR010", Severity.ERROR)
def duplicate(subject: Subject) -> Iterator[Violation]:
    """Duplicate name of a metric.

    It is undefined which of the two is the objective.
    """
    names: set[tuple[str, str]] = set()
    for job, pointer, metric in _definitions(subject):
        key = (job.pointer, str(metric.get("Name")))
        if key in names:
            yield Violation(f"{pointer}/Name", f"{key[1]} is defined twice", "remove one of them")
        names.add(key)


def _definitions(subject: Subject) -> Iterator[tuple[JobRequest, str, Mapping[str, Any]]]:
    for job in subject.jobs:
        for index, metric in entries(job.get("AlgorithmSpecification", "MetricDefinitions")):
            yield job, job.pointer_to(f"AlgorithmSpecification/MetricDefinitions/{index}"), metric


def _regexes(subject: Subject) -> Iterator[tuple[JobRequest, str, str, str]]:
    """The well-formed regexes: job, pointer, name of the metric, regex."""
    for job, pointer, metric in _definitions(subject):
        regex = metric.get("Regex")
        pattern = compile_regex(regex) if isinstance(regex, str) else None
        if isinstance(regex, str) and pattern and pattern.groups:
            yield job, f"{pointer}/Regex", str(metric.get("Name", "")), regex


def _objective(job: JobRequest) -> tuple[str, Any]:
    own = job.get("TuningObjective", "MetricName")
    if own is not None:
        return job.pointer_to("TuningObjective/MetricName"), own
    path = ("HyperParameterTuningJobConfig", "HyperParameterTuningJobObjective", "MetricName")
    return "/".join((job.step.pointer, "Arguments", *path)), at(job.step.arguments, *path)


def _has_no_metrics(subject: Subject, job: JobRequest) -> bool:
    """Whether the job's image brings no metrics of its own."""
    address = parse_address(subject.plain(job.get(*job.image)))
    if address and address.repository in xgboost.REPOSITORIES:
        return False
    return bool(address and address.is_pytorch) or "sagemaker_program" in job.fixed_hyperparameters


def _read(regex: str, value: str) -> str | None:
    """What the regex reads, empty if nothing, None if it could not be tried."""
    try:
        return read_value(regex, value) or ""
    except NoSampleError:
        return None


def _number(text: str) -> float:
    try:
        return float(text.strip())
    except ValueError:
        return math.nan
