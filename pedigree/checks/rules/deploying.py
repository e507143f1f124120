"""Deployment: endpoints, their machines, and places that several executions would write to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pedigree.aws.machines import is_burstable
from pedigree.checks.finding import Severity, Violation
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.expressions import ExecutionReference, StepReference
from pedigree.language.pointers import at, entries
from pedigree.language.text import brief

_ACCOUNT = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:(\d{12}):|https://sqs\.[a-z0-9.-]+/(\d{12})/")
_REGION = re.compile(r"arn:aws[a-z-]*:(?!iam:)[a-z0-9-]+:([a-z]{2}-[a-z0-9-]+-\d):|https://sqs\.([a-z0-9-]+)\.")
_CAPACITY = re.compile(r"(?:min|max)_?(?:capacity|instances?)|scal(?:e|ing)", re.IGNORECASE)
_PER_SECOND = re.compile(r"(?:per_?second|per_?sec|_rps|^rps|tps|qps)", re.IGNORECASE)
_PERCENT = {"CanarySize": (1, 50), "LinearStepSize": (10, 50)}
_FIXED_NAMES = {"EndpointConfig": "EndpointConfigName", "Model": "ModelName"}


@rule("DEP007", Severity.WARNING)
def burstable(subject: Subject) -> Iterator[Violation]:
    """Burstable machine for an endpoint.

    ml.t2 and ml.t3 run out of credits under load, and Application Auto Scaling refuses to register them.
    """
    for pointer, value in (*_variant_machines(subject), *_function_machines(subject)):
        wrong = [name for name in subject.possible(value) if isinstance(name, str) and is_burstable(name)]
        if wrong:
            yield Violation(pointer, f"{wrong[0]} is burstable and cannot be scaled", "use ml.m5.large or another")


@rule("DEP008", Severity.WARNING)
def per_second(subject: Subject) -> Iterator[Violation]:
    """Scaling target in requests per second.

    SageMakerVariantInvocationsPerInstance counts per minute, so such a target is wrong by a factor of 60.
    """
    for step in subject.steps:
        if step.type == "Lambda" and any(map(_CAPACITY.search, step.arguments)):
            for name in filter(_PER_SECOND.search, step.arguments):
                pointer = f"{step.pointer}/Arguments/{name}"
                yield Violation(pointer, f"{name} is per second, and the metric counts per minute", "multiply it by 60")


@rule("DEP009", Severity.WARNING)
def accounts(subject: Subject) -> Iterator[Violation]:
    """Two account ids in one definition.

    ARNs and queues of several accounts: one was probably copied from elsewhere.
    """
    yield from _minorities(subject, _ACCOUNT, "account")


@rule("DEP010", Severity.WARNING)
def regions(subject: Subject) -> Iterator[Violation]:
    """Two regions in one definition.

    A pipeline works in one region and does not reach functions, queues and keys of another one.
    """
    yield from _minorities(subject, _REGION, "region")


@rule("DEP011", Severity.NOTE)
def endpoint_names(subject: Subject) -> Iterator[Violation]:
    """Fixed name of an endpoint.

    A test of the pipeline would deploy to the same endpoint as production. Make the name a parameter.
    """
    for step in subject.steps:
        for name, value in step.arguments.items() if step.type in ("Lambda", "Callback", "Endpoint") else ():
            if name.lower().replace("_", "") == "endpointname" and isinstance(value, str):
                cause = f"every execution deploys to {value}"
                yield Violation(f"{step.pointer}/Arguments/{name}", cause, "make it a parameter")


@rule("DEP012", Severity.WARNING)
def fixed_names(subject: Subject) -> Iterator[Violation]:
    """Name that only the first execution can use.

    Endpoint configurations and models cannot be changed; the second execution finds the name taken.
    """
    for step in subject.steps:
        member = _FIXED_NAMES.get(step.type, "")
        value = step.arguments.get(member)
        if isinstance(value, str):
            pointer = f"{step.pointer}/Arguments/{member}"
            yield Violation(pointer, f"every execution creates {value}", "join the execution's id to it")


@rule("DEP014", Severity.WARNING)
def outputs(subject: Subject) -> Iterator[Violation]:
    """Output that every execution writes to the same place.

    Two executions at once overwrite each other, and a cached result may be a later one's. Join
    Execution.PipelineExecutionId to the address. Training jobs are left alone: the service adds the job's name.
    The SDK writes such an address for each output that is given none, so it is one finding for the whole definition.
    """
    shared = [found for address, pointer in _outputs(subject) for found in _shared_address(subject, address, pointer)]
    for first in shared[:1]:
        others = len(shared) - 1
        more = f", and so {'does 1 other' if others == 1 else f'do {others} others'}" if others else ""
        yield replace(first, cause=f"its output goes {first.cause}{more}")


@rule("DEP015", Severity.WARNING)
def checkpoints(subject: Subject) -> Iterator[Violation]:
    """Checkpoints that every execution shares.

    A job that finds checkpoints resumes from them: it would begin where another execution ended.
    """
    for job in subject.jobs:
        pointer = job.pointer_to("CheckpointConfig/S3Uri")
        for found in _shared_address(subject, job.get("CheckpointConfig", "S3Uri"), pointer):
            yield replace(found, cause=f"its checkpoints go {found.cause}")


@rule("DEP016", Severity.ERROR)
def traffic(subject: Subject) -> Iterator[Violation]:
    """Blue/green traffic step out of range.

    A canary takes 50 percent at most, a linear step 10 to 50.
    """
    for step in subject.steps:
        path = ("DeploymentConfig", "BlueGreenUpdatePolicy", "TrafficRoutingConfiguration")
        for member, (least, most) in _PERCENT.items() if step.type == "Endpoint" else ():
            size = at(step.arguments, *path, member)
            value = subject.plain(at(size, "Value"))
            is_percent = at(size, "Type") == "CAPACITY_PERCENT"
            if is_percent and isinstance(value, int) and not least <= value <= most:
                pointer = "/".join((step.pointer, "Arguments", *path, member, "Value"))
                yield Violation(pointer, f"{member} is {value} percent", f"choose {least} to {most}")


def _variant_machines(subject: Subject) -> Iterator[tuple[str, Any]]:
    for step in subject.steps:
        variants = entries(step.arguments.get("ProductionVariants")) if step.type == "EndpointConfig" else ()
        for index, variant in variants:
            yield f"{step.pointer}/Arguments/ProductionVariants/{index}/InstanceType", variant.get("InstanceType")


def _function_machines(subject: Subject) -> Iterator[tuple[str, Any]]:
    for step in subject.steps:
        for name, value in step.arguments.items() if step.type == "Lambda" else ():
            if "instance" in name.lower():
                yield f"{step.pointer}/Arguments/{name}", value


def _minorities(subject: Subject, pattern: re.Pattern[str], noun: str) -> Iterator[Violation]:
    """Texts with another value than most texts have."""
    pointers_of: dict[str, list[str]] = {}
    for text in subject.texts:
        for match in pattern.finditer(text.value) if ":" in text.value else ():
            pointers_of.setdefault(next(filter(None, match.groups())), []).append(text.pointer)
    if len(pointers_of) > 1:
        usual = max(pointers_of, key=lambda value: len(pointers_of[value]))
        for other in sorted(pointers_of.keys() - {usual}):
            for pointer in pointers_of[other]:
                yield Violation(pointer, f"this is {noun} {other}, and elsewhere it is {usual}", f"use one {noun}")


def _outputs(subject: Subject) -> Iterator[tuple[Any, str]]:
    """The addresses of the outputs of processing and transform jobs, with their pointers."""
    for step in subject.steps:
        pointer = f"{step.pointer}/Arguments"
        for index, output in entries(at(step.arguments, "ProcessingOutputConfig", "Outputs")):
            yield at(output, "S3Output", "S3Uri"), f"{pointer}/ProcessingOutputConfig/Outputs/{index}/S3Output/S3Uri"
        yield at(step.arguments, "TransformOutput", "S3OutputPath"), f"{pointer}/TransformOutput/S3OutputPath"


def _shared_address(subject: Subject, value: Any, pointer: str) -> Iterator[Violation]:
    fresh = (ExecutionReference, StepReference)
    if value and not any(isinstance(reference, fresh) for reference in subject.references_in(value)):
        cause = f"to {brief(value)} in every execution"
        yield Violation(pointer, cause, "join Execution.PipelineExecutionId to it")
