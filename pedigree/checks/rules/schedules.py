"""Schedules, where they are given: what they hand to an execution."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.jobs import at, entries
from pedigree.checks.reading import brief
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.definition import Parameter

_CONVERTED = {"Integer": r"[-+]?\d+", "Float": r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", "Boolean": "true|false"}
_LONGEST = 1024


def _given(subject: Subject) -> Iterator[tuple[str, Any, bool]]:
    """Name and value of every parameter that is handed over, and whether a rule of EventBridge does it."""
    for one in subject.beside.schedules:
        targets = [target for _, target in entries(one.get("Targets"))]
        for target in [*targets, at(one, "Target") or {}]:
            for _, item in entries(at(target, "SageMakerPipelineParameters", "PipelineParameterList")):
                yield str(item.get("Name", "")), item.get("Value"), bool(targets)


def _declared(subject: Subject) -> Iterator[tuple[Parameter, Any, str]]:
    for name, value, _ in _given(subject):
        if name in subject.definition.parameters:
            yield subject.definition.parameters[name], value, subject.parameter_pointers[name]


@rule("SCH001", Severity.ERROR)
def unknown(subject: Subject) -> Iterator[Spot]:
    """A schedule gives a parameter that the pipeline does not have.

    StartPipelineExecution refuses it, and nobody is told: the schedule just starts nothing.
    """
    names = list(subject.definition.parameters)
    for name, _, _ in _given(subject):
        if name not in names:
            hint = subject.near(name, names) or "remove it from the schedule"
            yield Spot("/Parameters", f"the schedule gives {name}, which is no parameter", hint)


@rule("SCH002", Severity.ERROR)
def typed(subject: Subject) -> Iterator[Spot]:
    """A schedule gives a value that the parameter does not take.

    Values are texts; that of an Integer holds a whole number, and one with choices is one of them.
    """
    for parameter, value, pointer in _declared(subject):
        form = _CONVERTED.get(parameter.type, ".*")
        fits = isinstance(value, str) and re.fullmatch(form, value, re.DOTALL) and len(value) <= _LONGEST
        if value != "" and (not fits or (parameter.choices and value not in parameter.choices)):
            cause = f"the schedule gives {brief(value)} for {parameter.name}"
            needed = f"one of {', '.join(map(str, parameter.choices))}" if parameter.choices else parameter.type
            yield Spot(pointer, cause, f"give a text that is {needed}")


@rule("SCH003", Severity.ERROR)
def underscores(subject: Subject) -> Iterator[Spot]:
    """A rule of EventBridge gives a parameter with an underscore in its name.

    Rules take letters, digits and - only; schedules of EventBridge Scheduler take _ as well.
    """
    for name, _, by_rule in _given(subject):
        if by_rule and "_" in name and name in subject.parameter_pointers:
            pointer = subject.parameter_pointers[name]
            yield Spot(f"{pointer}/Name", f"a rule cannot give {name}", "use EventBridge Scheduler, or rename it")


@rule("SCH004", Severity.ERROR)
def empty(subject: Subject) -> Iterator[Spot]:
    """A schedule gives an empty value.

    A value has one character at least.
    """
    for parameter, value, pointer in _declared(subject):
        if value == "":
            yield Spot(pointer, f"the schedule gives nothing for {parameter.name}", "leave it out, for its default")


@rule("SCH005", Severity.ERROR)
def needed(subject: Subject) -> Iterator[Spot]:
    """A schedule leaves out a parameter that has no default.

    The execution does not start.
    """
    schedules: list[Mapping[str, Any]] = list(subject.beside.schedules)
    names = {name for name, _, _ in _given(subject)}
    for name, parameter in subject.definition.parameters.items() if schedules else ():
        if parameter.default is None and name not in names:
            pointer = subject.parameter_pointers[name]
            yield Spot(pointer, f"{name} has no default, and the schedule gives none", "add it to the schedule")
