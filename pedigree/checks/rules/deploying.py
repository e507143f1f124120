"""Deployment: endpoints, their machines, and what two executions would write to the same place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.jobs import at, entries
from pedigree.checks.reading import brief
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.expressions import ExecutionReference, StepReference

_ACCOUNT = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:(\d{12}):|https://sqs\.[a-z0-9.-]+/(\d{12})/")
_REGION = re.compile(r"arn:aws[a-z-]*:(?!iam:)[a-z0-9-]+:([a-z]{2}-[a-z0-9-]+-\d):|https://sqs\.([a-z0-9-]+)\.")
_CAPACITY = re.compile(r"(?:min|max)_?(?:capacity|instances?)|scal(?:e|ing)", re.IGNORECASE)
_SECONDS = re.compile(r"(?:per_?second|per_?sec|_rps|^rps|tps|qps)", re.IGNORECASE)
_LIMITS = {"CanarySize": (1, 50), "LinearStepSize": (10, 50)}


@rule("DEP007", Severity.WARNING)
def burstable(subject: Subject) -> Iterator[Spot]:
    """A burstable machine behind an endpoint.

    ml.t2 and ml.t3 run out of credits under load, and Application Auto Scaling refuses to register them.
    """
    for pointer, value in (*_variants(subject), *_function_machines(subject)):
        bursts = [one for one in subject.possible(value) if isinstance(one, str) and re.match(r"ml\.t\d", one)]
        if bursts:
            yield Spot(pointer, f"{bursts[0]} is burstable and cannot be scaled", "use ml.m5.large or another")


@rule("DEP008", Severity.WARNING)
def per_second(subject: Subject) -> Iterator[Spot]:
    """A scaling target in requests per second.

    SageMakerVariantInvocationsPerInstance counts per minute, so such a target is wrong by a factor of 60.
    """
    for step in subject.steps:
        if step.type == "Lambda" and any(map(_CAPACITY.search, step.arguments)):
            for name in filter(_SECONDS.search, step.arguments):
                pointer = f"{step.pointer}/Arguments/{name}"
                yield Spot(pointer, f"{name} is per second, and the metric counts per minute", "multiply it by 60")


@rule("DEP009", Severity.WARNING)
def accounts(subject: Subject) -> Iterator[Spot]:
    """Another account's id than everywhere else.

    ARNs and queues of several accounts in one definition: one was probably copied from elsewhere.
    """
    yield from _odd_ones(subject, _ACCOUNT, "account")


@rule("DEP010", Severity.WARNING)
def regions(subject: Subject) -> Iterator[Spot]:
    """Another region than everywhere else.

    A pipeline works in one region; functions, queues and keys of another one are not reached.
    """
    yield from _odd_ones(subject, _REGION, "region")


@rule("DEP011", Severity.NOTE)
def endpoint_names(subject: Subject) -> Iterator[Spot]:
    """An endpoint's name that nobody can change.

    A test of the pipeline would deploy to the same endpoint as production. Make the name a parameter.
    """
    for step in subject.steps:
        for name, value in step.arguments.items() if step.type in ("Lambda", "Callback", "Endpoint") else ():
            if name.lower().replace("_", "") == "endpointname" and isinstance(value, str):
                yield Spot(f"{step.pointer}/Arguments/{name}", f"the endpoint is {value} always", "make it a parameter")


@rule("DEP012", Severity.WARNING)
def fixed_names(subject: Subject) -> Iterator[Spot]:
    """A name that the second execution cannot use again.

    Endpoint configurations and models cannot be changed; the second execution finds the name taken.
    """
    for step in subject.steps:
        member = {"EndpointConfig": "EndpointConfigName", "Model": "ModelName"}.get(step.type, "")
        value = step.arguments.get(member)
        if isinstance(value, str):
            pointer = f"{step.pointer}/Arguments/{member}"
            yield Spot(pointer, f"every execution creates {value}", "join the execution's id to it")


@rule("DEP014", Severity.WARNING)
def outputs(subject: Subject) -> Iterator[Spot]:
    """An output that every execution writes to the same place.

    Two executions at once overwrite each other, and a cached result may be a later one's. Join
    Execution.PipelineExecutionId to the address. Training jobs are left alone: the service adds the job's name.
    """
    for step in subject.steps:
        pointer = f"{step.pointer}/Arguments"
        for index, one in entries(at(step.arguments, "ProcessingOutputConfig", "Outputs")):
            place = f"{pointer}/ProcessingOutputConfig/Outputs/{index}/S3Output/S3Uri"
            yield from _fixed(subject, at(one, "S3Output", "S3Uri"), place, "it goes")
        path = at(step.arguments, "TransformOutput", "S3OutputPath")
        yield from _fixed(subject, path, f"{pointer}/TransformOutput/S3OutputPath", "it goes")


@rule("DEP015", Severity.WARNING)
def checkpoints(subject: Subject) -> Iterator[Spot]:
    """Checkpoints that every execution shares.

    A job that finds checkpoints goes on from them: it would begin where another execution ended.
    """
    for job in subject.jobs:
        place = job.place("CheckpointConfig/S3Uri")
        yield from _fixed(subject, job.get("CheckpointConfig", "S3Uri"), place, "its checkpoints go")


@rule("DEP016", Severity.ERROR)
def traffic(subject: Subject) -> Iterator[Spot]:
    """A step of traffic that blue/green does not take.

    A canary takes 50 percent at most, a linear step 10 to 50.
    """
    for step in subject.steps:
        path = ("DeploymentConfig", "BlueGreenUpdatePolicy", "TrafficRoutingConfiguration")
        for member, (least, most) in _LIMITS.items() if step.type == "Endpoint" else ():
            size = at(step.arguments, *path, member)
            value = subject.plain(at(size, "Value"))
            percent = at(size, "Type") == "CAPACITY_PERCENT"
            if percent and isinstance(value, int) and not least <= value <= most:
                pointer = "/".join((step.pointer, "Arguments", *path, member, "Value"))
                yield Spot(pointer, f"{member} is {value} percent", f"choose {least} to {most}")


def _variants(subject: Subject) -> Iterator[tuple[str, Any]]:
    for step in subject.steps:
        listed = entries(step.arguments.get("ProductionVariants")) if step.type == "EndpointConfig" else ()
        for index, one in listed:
            yield f"{step.pointer}/Arguments/ProductionVariants/{index}/InstanceType", one.get("InstanceType")


def _function_machines(subject: Subject) -> Iterator[tuple[str, Any]]:
    for step in subject.steps:
        for name, value in step.arguments.items() if step.type == "Lambda" else ():
            if "instance" in name.lower():
                yield f"{step.pointer}/Arguments/{name}", value


def _odd_ones(subject: Subject, pattern: re.Pattern[str], what: str) -> Iterator[Spot]:
    found: dict[str, list[str]] = {}
    for one in subject.texts:
        for match in pattern.finditer(one.value) if ":" in one.value else ():
            found.setdefault(next(filter(None, match.groups())), []).append(one.pointer)
    if len(found) > 1:
        home = max(found, key=lambda one: len(found[one]))
        for other in sorted(found.keys() - {home}):
            for pointer in found[other]:
                yield Spot(pointer, f"this is {what} {other}, and elsewhere it is {home}", f"use one {what}")


def _fixed(subject: Subject, value: Any, pointer: str, what: str) -> Iterator[Spot]:
    fresh = (ExecutionReference, StepReference)
    if value and not any(isinstance(one, fresh) for one in subject.references_in(value)):
        yield Spot(pointer, f"{what} to {brief(value)} in every execution", "join Execution.PipelineExecutionId to it")
