"""The form of the document: what must be there so that it is a definition, and what has no meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.checks.faults import near
from pedigree.checks.finding import Severity, Spot
from pedigree.checks.jobs import entries
from pedigree.checks.reading import brief
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.definition import STEP_TYPES, VERSION

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,63})")
_TOP = ("Version", "Metadata", "MlflowConfig", "Parameters", "PipelineExperimentConfig", "Steps")
_OF_STEPS = (
    *("Name", "Type", "Arguments", "DisplayName", "Description", "DependsOn", "CacheConfig", "RetryPolicies"),
    *("PropertyFiles", "OutputParameters", "FunctionArn", "SqsQueueUrl", "Metadata"),
)
# Types of step whose form beside the arguments is described nowhere but in AWS's own code.
_OPEN = ("QualityCheck", "ClarifyCheck", "EMR", "EMRServerless", "Job", "AutoML", "Lineage", "Cleanup", "ForEach")


@rule("STR001", Severity.ERROR)
def form(subject: Subject) -> Iterator[Spot]:
    """Something has not the form that a definition has there.

    A step is an object with a Name and a Type, a parameter too; lists are lists. What is told here was left out of
    all other checks, so check again once it is mended.
    """
    yield from subject.reader.form


@rule("STR002", Severity.ERROR)
def step_names(subject: Subject) -> Iterator[Spot]:
    """Two steps have one name.

    Names of steps are unique over the whole definition, so one step cannot stand in both branches of a condition.
    The second one was left out of all other checks.
    """
    yield from subject.reader.twice


@rule("STR003", Severity.ERROR)
def parameter_names(subject: Subject) -> Iterator[Spot]:
    """Two parameters have one name.

    An execution is given values by name.
    """
    yield from subject.reader.parameter_twice


@rule("STR004", Severity.ERROR)
def step_types(subject: Subject) -> Iterator[Spot]:
    """A type of step that does not exist.

    The service refuses the whole definition.
    """
    for step in subject.steps:
        if step.type not in STEP_TYPES:
            hint = near(step.type, STEP_TYPES) or f"use one of {', '.join(STEP_TYPES[:6])}, …"
            yield Spot(f"{step.pointer}/Type", f"there is no type of step {step.type}", hint)


@rule("STR005", Severity.ERROR)
def version(subject: Subject) -> Iterator[Spot]:
    """The version is not that of the definition language.

    There is one version of the language, 2020-12-01, and a definition names it.
    """
    written = subject.document.get("Version")
    if written != VERSION:
        pointer = "/Version" if "Version" in subject.document else ""
        yield Spot(pointer, f"Version is {brief(written)}", f'write "Version": "{VERSION}"')


@rule("STR006", Severity.ERROR)
def names(subject: Subject) -> Iterator[Spot]:
    """A name that the service does not take.

    Names of steps and parameters have 1 to 64 letters, digits, - and _, and begin with a letter or digit.
    """
    named = [(f"{step.pointer}/Name", step.name) for step in subject.steps]
    parameters = entries(subject.document.get("Parameters"))
    named += [(f"/Parameters/{index}/Name", str(one.get("Name", "x"))) for index, one in parameters]
    for pointer, name in named:
        if name and not _NAME.fullmatch(name):
            yield Spot(pointer, f"{brief(name)} is no name", "use up to 64 letters, digits, - and _, a letter first")


@rule("STR007", Severity.WARNING)
def members(subject: Subject) -> Iterator[Spot]:
    """A member that a definition or a step does not have.

    It is a slip of the pen, or it has no effect: what was meant by it does not happen.
    """
    yield from _unknown(subject.document, "", _TOP)
    for step in subject.steps:
        if step.type in STEP_TYPES and step.type not in _OPEN:
            yield from _unknown(step.document, step.pointer, _OF_STEPS)


@rule("STR008", Severity.ERROR)
def no_steps(subject: Subject) -> Iterator[Spot]:
    """A definition without steps.

    There is nothing to run.
    """
    if not subject.document["Steps"]:
        yield Spot("/Steps", "there are no steps", "add one")


@rule("STR009", Severity.ERROR)
def needed(subject: Subject) -> Iterator[Spot]:
    """A step lacks what its type needs.

    A Fail step needs an ErrorMessage, a Lambda step the FunctionArn, a Callback step the SqsQueueUrl, a Condition step
    its Conditions.
    """
    for step in subject.steps:
        inside, member = _NEEDED.get(step.type, (False, ""))
        body: Mapping[str, Any] = step.arguments if inside else step.document
        if member and not body.get(member):
            pointer = f"{step.pointer}/Arguments" if inside else step.pointer
            yield Spot(pointer, f"a {step.type} step needs {member}", f"add {member}")


def _unknown(body: Mapping[str, Any], pointer: str, known: tuple[str, ...]) -> Iterator[Spot]:
    for name in body:
        if name not in known:
            yield Spot(f"{pointer}/{name}", f"nothing here is called {name}", near(name, known) or "remove it")


_NEEDED: Mapping[str, tuple[bool, str]] = {
    "Fail": (True, "ErrorMessage"),
    "Condition": (True, "Conditions"),
    "Lambda": (False, "FunctionArn"),
    "Callback": (False, "SqsQueueUrl"),
}
