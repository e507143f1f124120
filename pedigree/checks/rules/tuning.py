"""Searches: which hyperparameters vary, within which ranges, and how many jobs try them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.definition import Step
from pedigree.language.pointers import at, entries
from pedigree.language.text import brief

_CONFIG = "HyperParameterTuningJobConfig"
_NUMERIC = ("ContinuousParameterRanges", "IntegerParameterRanges")
_KINDS = (*_NUMERIC, "CategoricalParameterRanges", "AutoParameters")


@dataclass(frozen=True)
class ParameterRange:
    """The range of a hyperparameter, and the pointer to it."""

    step: Step
    kind: str
    pointer: str
    body: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name of the hyperparameter."""
        return str(self.body.get("Name", ""))


def ranges(subject: Subject) -> Iterator[ParameterRange]:
    """All ranges of all searches."""
    for step in subject.steps:
        if step.type == "Tuning":
            common = at(step.arguments, _CONFIG, "ParameterRanges")
            yield from _ranges(step, common, f"{step.pointer}/Arguments/{_CONFIG}/ParameterRanges")
            for job in subject.jobs_of.get(step.name, ()):
                yield from _ranges(step, job.get("HyperParameterRanges"), job.pointer_to("HyperParameterRanges"))


@rule("LIM012", Severity.ERROR)
def inverted(subject: Subject) -> Iterator[Violation]:
    """Range without a width.

    Its minimum is not below its maximum, so the search is refused when it starts.
    """
    for tuned, low, high in _bounds(subject):
        if low >= high:
            cause = f"{tuned.name} goes from {tuned.body['MinValue']} to {tuned.body['MaxValue']}"
            yield Violation(f"{tuned.pointer}/MinValue", cause, "write the smaller one as MinValue")


@rule("LIM013", Severity.ERROR)
def scaling(subject: Subject) -> Iterator[Violation]:
    """Range that does not fit its scale.

    Logarithmic needs a minimum above 0, ReverseLogarithmic a continuous range from 0 on that ends below 1.
    """
    for tuned, low, high in _bounds(subject):
        scale = tuned.body.get("ScalingType")
        pointer = f"{tuned.pointer}/ScalingType"
        if scale == "Logarithmic" and low <= 0:
            yield Violation(pointer, f"{tuned.name} begins at {low:g}", "begin above 0, or use Linear")
        elif scale == "ReverseLogarithmic" and not 0 <= low < high < 1:
            cause = f"{tuned.name} goes from {low:g} to {high:g}"
            yield Violation(pointer, cause, "stay between 0 and 1, or use Linear")


@rule("LIM014", Severity.ERROR)
def duplicate(subject: Subject) -> Iterator[Violation]:
    """Hyperparameter with two ranges, or with a range and a fixed value.

    The service refuses a search that has one name twice.
    """
    names: set[tuple[str, str]] = set()
    for tuned in ranges(subject):
        several = "TrainingJobDefinitions" in tuned.step.arguments
        key = (tuned.pointer.rsplit("/", 2)[0] if several else tuned.step.name, tuned.name)
        if key in names:
            yield Violation(f"{tuned.pointer}/Name", f"{tuned.name} has two ranges", "remove one of them")
        names.add(key)
        for job in subject.jobs_of.get(tuned.step.name, ()):
            is_own = not several or tuned.pointer.startswith(f"{job.pointer}/")
            if is_own and tuned.name in job.fixed_hyperparameters:
                pointer = job.pointer_to("StaticHyperParameters", tuned.name)
                yield Violation(pointer, f"{tuned.name} is fixed here and has a range", "remove one of them")


@rule("LIM015", Severity.ERROR)
def strategy(subject: Subject) -> Iterator[Violation]:
    """Search that its strategy does not support.

    Grid takes categorical ranges only, and tries all of them; Hyperband stops jobs by itself, so early stopping must be
    Off.
    """
    for step in subject.steps:
        config = at(step.arguments, _CONFIG) if step.type == "Tuning" else None
        if at(config, "Strategy") == "Hyperband" and at(config, "TrainingJobEarlyStoppingType") == "Auto":
            pointer = f"{step.pointer}/Arguments/{_CONFIG}/TrainingJobEarlyStoppingType"
            yield Violation(pointer, "Hyperband stops jobs by itself", "write Off")
        if at(config, "Strategy") == "Grid":
            for tuned in ranges(subject):
                if tuned.step.name == step.name and tuned.kind in _NUMERIC:
                    cause = f"Grid takes no numeric range like that of {tuned.name}"
                    yield Violation(tuned.pointer, cause, "name its values: Categorical")


@rule("LIM016", Severity.ERROR)
def parallel_jobs(subject: Subject) -> Iterator[Violation]:
    """More parallel jobs than jobs.

    MaxParallelTrainingJobs is at most MaxNumberOfTrainingJobs.
    """
    for step in subject.steps:
        limits = at(step.arguments, _CONFIG, "ResourceLimits")
        total, parallel = (
            subject.plain(at(limits, key)) for key in ("MaxNumberOfTrainingJobs", "MaxParallelTrainingJobs")
        )
        if isinstance(total, int) and isinstance(parallel, int) and parallel > total:
            pointer = f"{step.pointer}/Arguments/{_CONFIG}/ResourceLimits/MaxParallelTrainingJobs"
            yield Violation(pointer, f"{parallel} jobs in parallel, and {total} in all", "lower it, or allow more jobs")


@rule("LIM017", Severity.ERROR)
def bounds(subject: Subject) -> Iterator[Violation]:
    """Bound that is not a number.

    Bounds are texts that hold a number; those of an integer range hold a whole one.
    """
    for tuned in ranges(subject):
        for key in ("MinValue", "MaxValue") if tuned.kind in _NUMERIC else ():
            value = subject.plain(tuned.body.get(key))
            number = _number(value)
            needs_whole = tuned.kind == "IntegerParameterRanges"
            if isinstance(value, str) and (number is None or (needs_whole and not number.is_integer())):
                needed = "whole number" if needs_whole else "number"
                yield Violation(
                    f"{tuned.pointer}/{key}", f"{brief(value)} is not a {needed}", f"write a {needed} as a text"
                )


@rule("LIM018", Severity.ERROR)
def no_ranges(subject: Subject) -> Iterator[Violation]:
    """Search without ranges.

    It needs at least one range, or Autotune.
    """
    with_ranges = {tuned.step.name for tuned in ranges(subject)}
    for step in subject.steps:
        if step.type == "Tuning" and step.name not in with_ranges and "Autotune" not in step.arguments:
            yield Violation(f"{step.pointer}/Arguments/{_CONFIG}", f"{step.name} has no ranges", "add a range")


@rule("SCR011", Severity.WARNING)
def quotes(subject: Subject) -> Iterator[Violation]:
    """Categorical values with and without quotes.

    One SDK writes "\\"32\\"", another "32". AWS's training toolkit decodes both; any other container sees the quotes.
    """
    for tuned in ranges(subject):
        values = tuned.body.get("Values")
        texts = [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
        quoted = [len(text) > 1 and text[0] == text[-1] == '"' for text in texts]
        if any(quoted) and not all(quoted):
            cause = f"some values of {tuned.name} are quoted"
            yield Violation(f"{tuned.pointer}/Values", cause, "write all of them alike")


def _ranges(step: Step, body: Any, pointer: str) -> Iterator[ParameterRange]:
    for kind in _KINDS:
        for index, document in entries(at(body, kind)):
            yield ParameterRange(step, kind, f"{pointer}/{kind}/{index}", document)


def _bounds(subject: Subject) -> Iterator[tuple[ParameterRange, float, float]]:
    for tuned in ranges(subject):
        low, high = (_number(subject.plain(tuned.body.get(key))) for key in ("MinValue", "MaxValue"))
        if tuned.kind in _NUMERIC and low is not None and high is not None:
            yield tuned, low, high


def _number(value: Any) -> float | None:
    try:
        number = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
