"""The form of the document: what a definition must have, and members that have no meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.definition import STEP_TYPES, VERSION
from pedigree.language.near import did_you_mean
from pedigree.language.pointers import entries
from pedigree.language.text import brief

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,63})")
_DEFINITION_MEMBERS = ("Version", "Metadata", "MlflowConfig", "Parameters", "PipelineExperimentConfig", "Steps")
_STEP_MEMBERS = (
    *("Name", "Type", "Arguments", "DisplayName", "Description", "DependsOn", "CacheConfig", "RetryPolicies"),
    *("PropertyFiles", "OutputParameters", "FunctionArn", "SqsQueueUrl", "Metadata"),
)
# AWS describes the members of these types of step nowhere but in its own code.
_UNDESCRIBED = (
    *("QualityCheck", "ClarifyCheck", "EMR", "EMRServerless", "Job", "AutoML", "Lineage", "Cleanup", "ForEach"),
    *("Athena", "HubContent", "InferenceComponent", "BedrockModelImport", "BedrockCustomModel"),
    *("BedrockCustomModelDeployment", "BedrockProvisionedModelThroughput"),
)


@rule("STR001", Severity.ERROR)
def malformed(subject: Subject) -> Iterator[Violation]:
    """Malformed part of the definition.

    A step is an object with a Name and a Type, a parameter too; lists are lists. Malformed parts are left out of all
    other checks, so check again once they are corrected.
    """
    yield from subject.reader.malformed


@rule("STR002", Severity.ERROR)
def duplicate_steps(subject: Subject) -> Iterator[Violation]:
    """Duplicate name of a step.

    Names of steps are unique over the whole definition, so one step cannot stand in both branches of a condition.
    The second one was left out of all other checks.
    """
    yield from subject.reader.duplicate_steps


@rule("STR003", Severity.ERROR)
def duplicate_parameters(subject: Subject) -> Iterator[Violation]:
    """Duplicate name of a parameter.

    An execution is given values by name.
    """
    yield from subject.reader.duplicate_parameters


@rule("STR004", Severity.ERROR)
def step_types(subject: Subject) -> Iterator[Violation]:
    """Unknown type of step.

    The service refuses the whole definition.
    """
    for step in subject.steps:
        if step.type not in STEP_TYPES:
            remedy = did_you_mean(step.type, STEP_TYPES) or f"use one of {', '.join(STEP_TYPES[:6])}, …"
            yield Violation(f"{step.pointer}/Type", f"there is no type of step {step.type}", remedy)


@rule("STR005", Severity.ERROR)
def version(subject: Subject) -> Iterator[Violation]:
    """Wrong version.

    There is one version of the definition language, 2020-12-01, and a definition names it.
    """
    written = subject.document.get("Version")
    if written != VERSION:
        pointer = "/Version" if "Version" in subject.document else ""
        yield Violation(pointer, f"Version is {brief(written)}", f'write "Version": "{VERSION}"')


@rule("STR006", Severity.ERROR)
def names(subject: Subject) -> Iterator[Violation]:
    """Malformed name.

    Names of steps and parameters have 1 to 64 letters, digits, - and _, and begin with a letter or digit.
    """
    named = [(f"{step.pointer}/Name", step.name) for step in subject.steps]
    for index, parameter in entries(subject.document.get("Parameters")):
        named.append((f"/Parameters/{index}/Name", str(parameter.get("Name", ""))))
    for pointer, name in named:
        if name and not _NAME.fullmatch(name):
            remedy = "use up to 64 letters, digits, - and _, and begin with a letter"
            yield Violation(pointer, f"{brief(name)} is not a valid name", remedy)


@rule("STR007", Severity.WARNING)
def unknown_members(subject: Subject) -> Iterator[Violation]:
    """Unknown member of the definition or of a step.

    It is misspelled, or it has no effect.
    """
    yield from _unknown(subject.document, "", _DEFINITION_MEMBERS)
    for step in subject.steps:
        if step.type in STEP_TYPES and step.type not in _UNDESCRIBED:
            yield from _unknown(step.document, step.pointer, _STEP_MEMBERS)


@rule("STR008", Severity.ERROR)
def no_steps(subject: Subject) -> Iterator[Violation]:
    """Definition without steps.

    There is nothing to run.
    """
    if not subject.document["Steps"]:
        yield Violation("/Steps", "there are no steps", "add one")


@rule("STR009", Severity.ERROR)
def missing_members(subject: Subject) -> Iterator[Violation]:
    """Missing member of a step.

    A Fail step needs an ErrorMessage, a Lambda step the FunctionArn, a Callback step the SqsQueueUrl, a Condition step
    its Conditions.
    """
    for step in subject.steps:
        in_arguments, member = _REQUIRED.get(step.type, (False, ""))
        body: Mapping[str, Any] = step.arguments if in_arguments else step.document
        is_empty_message = step.type == "Fail" and body.get(member) == ""  # which fails without a reason, as it says
        if member and not body.get(member) and not is_empty_message:
            pointer = f"{step.pointer}/Arguments" if in_arguments else step.pointer
            yield Violation(pointer, f"a {step.type} step needs {member}", f"add {member}")


@rule("STR014", Severity.NOTE)
def closed(subject: Subject) -> Iterator[Violation]:
    """Step of Model Monitor, which takes no new customers.

    QualityCheck and ClarifyCheck steps run Model Monitor's images. An account that has not used them before cannot,
    and the local AWS does not run them either. A processing job of your own that ends with an error does the same.
    """
    for step in subject.steps:
        if step.type in ("QualityCheck", "ClarifyCheck"):
            cause = f"{step.name} is a {step.type} step, and Model Monitor takes no new customers"
            yield Violation(step.pointer, cause, "check the data in a processing job of your own")


def _unknown(body: Mapping[str, Any], pointer: str, names: tuple[str, ...]) -> Iterator[Violation]:
    for name in body:
        if name not in names:
            yield Violation(f"{pointer}/{name}", f"there is no member {name}", did_you_mean(name, names) or "remove it")


_REQUIRED: Mapping[str, tuple[bool, str]] = {
    "Fail": (True, "ErrorMessage"),
    "Condition": (True, "Conditions"),
    "Lambda": (False, "FunctionArn"),
    "Callback": (False, "SqsQueueUrl"),
}
"""For a type of step, the member that it must have, and whether that is one of its arguments."""
