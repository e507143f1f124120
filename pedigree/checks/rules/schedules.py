"""Schedules, where they are given: the parameters that they give to an execution."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.definition import Parameter
from pedigree.language.near import did_you_mean
from pedigree.language.pointers import at, entries
from pedigree.language.text import brief

_CONVERTIBLE = {"Integer": r"[-+]?\d+", "Float": r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", "Boolean": "true|false"}
_LONGEST = 1024


@rule("SCH001", Severity.ERROR)
def unknown(subject: Subject) -> Iterator[Violation]:
    """Schedule with an unknown parameter.

    StartPipelineExecution refuses it without a message to anybody: the schedule just starts nothing.
    """
    names = list(subject.definition.parameters)
    for name, _, _ in _given(subject):
        if name not in names:
            remedy = did_you_mean(name, names) or "remove it from the schedule"
            yield Violation("/Parameters", f"the schedule gives {name}, which is not a parameter", remedy)


@rule("SCH002", Severity.ERROR)
def value(subject: Subject) -> Iterator[Violation]:
    """Schedule with a value that the parameter refuses.

    Values are texts; that of an Integer holds a whole number, and one with choices is one of them.
    """
    for parameter, given, pointer in _declared(subject):
        form = _CONVERTIBLE.get(parameter.type, ".*")
        fits = isinstance(given, str) and re.fullmatch(form, given, re.DOTALL) and len(given) <= _LONGEST
        if given != "" and (not fits or (parameter.choices and given not in parameter.choices)):
            cause = f"the schedule gives {brief(given)} for {parameter.name}"
            needed = f"one of {', '.join(map(str, parameter.choices))}" if parameter.choices else parameter.type
            yield Violation(pointer, cause, f"give a text that is {needed}")


@rule("SCH003", Severity.ERROR)
def underscores(subject: Subject) -> Iterator[Violation]:
    """EventBridge rule for a parameter with an underscore in its name.

    Rules take letters, digits and - only; schedules of EventBridge Scheduler take _ as well.
    """
    for name, _, by_rule in _given(subject):
        if by_rule and "_" in name and name in subject.parameter_pointers:
            pointer = subject.parameter_pointers[name]
            yield Violation(f"{pointer}/Name", f"a rule cannot give {name}", "use EventBridge Scheduler, or rename it")


@rule("SCH004", Severity.ERROR)
def empty(subject: Subject) -> Iterator[Violation]:
    """Schedule with an empty value.

    A value has at least one character.
    """
    for parameter, given, pointer in _declared(subject):
        if given == "":
            cause = f"the schedule gives an empty value for {parameter.name}"
            yield Violation(pointer, cause, "leave it out, for its default")


@rule("SCH005", Severity.ERROR)
def missing(subject: Subject) -> Iterator[Violation]:
    """Schedule without a value for a parameter that has no default.

    The execution does not start.
    """
    names = {name for name, _, _ in _given(subject)}
    for name, parameter in subject.definition.parameters.items() if subject.evidence.schedules else ():
        if parameter.default is None and name not in names:
            pointer = subject.parameter_pointers[name]
            yield Violation(pointer, f"{name} has no default, and the schedule gives none", "add it to the schedule")


def _given(subject: Subject) -> Iterator[tuple[str, Any, bool]]:
    """Name and value of every parameter in a schedule, and whether a rule of EventBridge gives it."""
    for schedule in subject.evidence.schedules:
        targets = [target for _, target in entries(schedule.get("Targets"))]
        for target in [*targets, at(schedule, "Target") or {}]:
            for _, item in entries(at(target, "SageMakerPipelineParameters", "PipelineParameterList")):
                yield str(item.get("Name", "")), item.get("Value"), bool(targets)


def _declared(subject: Subject) -> Iterator[tuple[Parameter, Any, str]]:
    """The given values of parameters that the definition declares, with the pointers to the declarations."""
    for name, given, _ in _given(subject):
        if name in subject.definition.parameters:
            yield subject.definition.parameters[name], given, subject.parameter_pointers[name]
