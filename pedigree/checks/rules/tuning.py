"""Searches: what is varied, within what, and how many jobs may try."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.jobs import at, entries
from pedigree.checks.reading import brief
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.definition import Step

_CONFIG = "HyperParameterTuningJobConfig"
_NUMERIC = ("ContinuousParameterRanges", "IntegerParameterRanges")
_KINDS = (*_NUMERIC, "CategoricalParameterRanges", "AutoParameters")


@dataclass(frozen=True)
class Range:
    """A hyperparameter that is varied, and where that is written."""

    step: Step
    kind: str
    pointer: str
    body: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The hyperparameter."""
        return str(self.body.get("Name", ""))


def ranges(subject: Subject) -> Iterator[Range]:
    """All ranges of all searches."""
    for step in subject.steps:
        if step.type == "Tuning":
            arguments = f"{step.pointer}/Arguments"
            yield from _ranges(
                step, at(step.arguments, _CONFIG, "ParameterRanges"), f"{arguments}/{_CONFIG}/ParameterRanges"
            )
            for job in subject.jobs_of.get(step.name, ()):
                yield from _ranges(step, job.get("HyperParameterRanges"), job.place("HyperParameterRanges"))


def _ranges(step: Step, body: Any, pointer: str) -> Iterator[Range]:
    for kind in _KINDS:
        for index, one in entries(at(body, kind)):
            yield Range(step, kind, f"{pointer}/{kind}/{index}", one)


def _bounds(subject: Subject) -> Iterator[tuple[Range, float, float]]:
    for one in ranges(subject):
        low, high = (_number(subject.plain(one.body.get(key))) for key in ("MinValue", "MaxValue"))
        if one.kind in _NUMERIC and low is not None and high is not None:
            yield one, low, high


def _number(value: Any) -> float | None:
    try:
        number = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


@rule("LIM012", Severity.ERROR)
def inverted(subject: Subject) -> Iterator[Spot]:
    """A range whose minimum is not below its maximum.

    The search is refused when it starts.
    """
    for one, low, high in _bounds(subject):
        if low >= high:
            cause = f"{one.name} goes from {one.body['MinValue']} to {one.body['MaxValue']}"
            yield Spot(f"{one.pointer}/MinValue", cause, "write the smaller one as MinValue")


@rule("LIM013", Severity.ERROR)
def scaling(subject: Subject) -> Iterator[Spot]:
    """A scale on which the range cannot lie.

    Logarithmic needs a minimum above 0, ReverseLogarithmic a continuous range from 0 on that ends below 1.
    """
    for one, low, high in _bounds(subject):
        kind = one.body.get("ScalingType")
        if kind == "Logarithmic" and low <= 0:
            yield Spot(f"{one.pointer}/ScalingType", f"{one.name} begins at {low:g}", "begin above 0, or use Linear")
        elif kind == "ReverseLogarithmic" and not 0 <= low < high < 1:
            cause = f"{one.name} goes from {low:g} to {high:g}"
            yield Spot(f"{one.pointer}/ScalingType", cause, "stay within 0 and 1, or use Linear")


@rule("LIM014", Severity.ERROR)
def twice(subject: Subject) -> Iterator[Spot]:
    """A hyperparameter that is varied and fixed at once, or varied twice.

    The service refuses a search that has one name twice.
    """
    seen: dict[tuple[str, str], str] = {}
    for one in ranges(subject):
        several = "TrainingJobDefinitions" in one.step.arguments
        key = (one.pointer.rsplit("/", 2)[0] if several else one.step.name, one.name)
        if key in seen:
            yield Spot(f"{one.pointer}/Name", f"{one.name} has two ranges", "remove one of them")
        seen[key] = one.pointer
        for job in subject.jobs_of.get(one.step.name, ()):
            own = not several or one.pointer.startswith(f"{job.pointer}/")
            if own and one.name in job.fixed:
                pointer = job.place("StaticHyperParameters", one.name)
                yield Spot(pointer, f"{one.name} is fixed here and has a range", "remove one of them")


@rule("LIM015", Severity.ERROR)
def strategy(subject: Subject) -> Iterator[Spot]:
    """A strategy that cannot search like that.

    Grid takes categorical ranges only, and tries all of them; Hyperband stops jobs by itself, so early stopping must be
    Off.
    """
    for step in subject.steps:
        config = at(step.arguments, _CONFIG) if step.type == "Tuning" else None
        pointer = f"{step.pointer}/Arguments/{_CONFIG}"
        if at(config, "Strategy") == "Hyperband" and at(config, "TrainingJobEarlyStoppingType") == "Auto":
            place = f"{pointer}/TrainingJobEarlyStoppingType"
            yield Spot(place, "Hyperband stops jobs by itself", "write Off")
        if at(config, "Strategy") == "Grid":
            for one in ranges(subject):
                if one.step.name == step.name and one.kind in _NUMERIC:
                    yield Spot(one.pointer, f"Grid cannot walk through {one.name}", "name its values: Categorical")


@rule("LIM016", Severity.ERROR)
def parallel(subject: Subject) -> Iterator[Spot]:
    """More jobs at once than jobs at all.

    MaxParallelTrainingJobs is at most MaxNumberOfTrainingJobs.
    """
    for step in subject.steps:
        limits = at(step.arguments, _CONFIG, "ResourceLimits")
        most, at_once = (
            subject.plain(at(limits, key)) for key in ("MaxNumberOfTrainingJobs", "MaxParallelTrainingJobs")
        )
        if isinstance(most, int) and isinstance(at_once, int) and at_once > most:
            pointer = f"{step.pointer}/Arguments/{_CONFIG}/ResourceLimits/MaxParallelTrainingJobs"
            yield Spot(pointer, f"{at_once} jobs at once, and {most} at all", "lower it, or raise the maximum")


@rule("LIM017", Severity.ERROR)
def numbers(subject: Subject) -> Iterator[Spot]:
    """A bound that is no number.

    Bounds are texts that hold a number; those of an integer range hold a whole one.
    """
    for one in ranges(subject):
        for key in ("MinValue", "MaxValue") if one.kind in _NUMERIC else ():
            value = subject.plain(one.body.get(key))
            number = _number(value)
            whole = one.kind == "ContinuousParameterRanges" or (number is not None and number.is_integer())
            if isinstance(value, str) and (number is None or not whole):
                needed = "number" if one.kind == "ContinuousParameterRanges" else "whole number"
                yield Spot(f"{one.pointer}/{key}", f"{brief(value)} is no {needed}", f"write a {needed} as a text")


@rule("LIM018", Severity.ERROR)
def nothing(subject: Subject) -> Iterator[Spot]:
    """A search that varies nothing.

    It needs a range at least, or Autotune.
    """
    varied = {one.step.name for one in ranges(subject)}
    for step in subject.steps:
        if step.type == "Tuning" and step.name not in varied and "Autotune" not in step.arguments:
            yield Spot(f"{step.pointer}/Arguments/{_CONFIG}", f"{step.name} has no ranges", "add a range")


@rule("SCR011", Severity.WARNING)
def quoted(subject: Subject) -> Iterator[Spot]:
    """Categorical values of which some are quoted and some are not.

    One SDK writes "\\"32\\"", another "32". AWS's training toolkit decodes both; any other container sees the quotes.
    """
    for one in ranges(subject):
        values = one.body.get("Values")
        texts = [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
        marked = [len(value) > 1 and value[0] == value[-1] == '"' for value in texts]
        if any(marked) and not all(marked):
            yield Spot(f"{one.pointer}/Values", f"some values of {one.name} are quoted", "write all of them alike")
