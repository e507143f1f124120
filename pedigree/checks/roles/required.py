"""All that a definition needs of roles, and what cannot be told from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pedigree.checks.jobs import Job, at, entries, jobs
from pedigree.checks.roles.addresses import Addresses
from pedigree.checks.roles.need import PIPELINE, Need
from pedigree.checks.roles.running import Runner
from pedigree.checks.roles.working import Worker, of_function, of_job, of_model
from pedigree.checks.subject import Subject
from pedigree.language.definition import Step
from pedigree.language.expressions import JsonGet, is_expression

_NOT_KNOWN = ("Job", "AutoML")
"""Types of step of which it is not known what their roles need besides what is told here."""


def needs(subject: Subject) -> list[Need]:
    """The needs of all roles, each once, in the order of the definition."""
    addresses = Addresses(subject)
    runner = Runner(subject.beside.pipeline_role or PIPELINE, addresses)
    scores = any(step.type == "Transform" for step in subject.steps)
    found: list[Need] = []
    for step in _all_steps(subject):
        found += [*runner.needs(step), *_working(runner.role, addresses, step, scores=scores)]
        found += _calling(subject, addresses, step)
    for use in subject.uses:
        found += runner.reading(use.reference, use.pointer) if isinstance(use.reference, JsonGet) else ()
    unique: dict[Need, Need] = {}
    for one in found:
        unique.setdefault(replace(one, pointer="", told=()), one)
    return list(unique.values())


def roles(found: Sequence[Need]) -> list[str]:
    """The names of the roles that need something."""
    return list(dict.fromkeys(one.role for one in found))


def untold(subject: Subject) -> Iterator[str]:
    """What a role may need besides, and nobody can tell before an execution; a line each."""
    addresses = Addresses(subject)
    for step in subject.steps:
        if step.type in _NOT_KNOWN:
            yield f"{step.name}: what the role of a step of type {step.type} needs is not known in full"
        for pointer, value in subject.reads(step):
            if is_expression(value) and addresses.bucket_and_key(value) is None:
                yield f"{pointer}: only an execution knows where this lies"


def _all_steps(subject: Subject) -> Iterator[Step]:
    for step in subject.steps:
        yield step
        yield from _inside(step)


def _inside(step: Step) -> Iterator[Step]:
    """The steps of which a ForEach step makes new ones each round."""
    for index, one in entries(step.arguments.get("ForEachBody")) if step.type == "ForEach" else ():
        arguments = one.get("Arguments")
        yield Step(
            name=str(one.get("Name", "")),
            type=str(one.get("Type", "")),
            arguments=arguments if isinstance(arguments, Mapping) else {},
            document=one,
            pointer=f"{step.pointer}/Arguments/ForEachBody/{index}",
        )


def _working(pipeline: str, addresses: Addresses, step: Step, *, scores: bool) -> Iterator[Need]:
    for job in (*jobs(step), *_checking(step)):
        worker = Worker(addresses.role(job.get("RoleArn")) or pipeline, addresses, job.pointer)
        yield from of_job(worker, job)
    if step.type == "Model":
        worker = Worker(addresses.role(step.arguments.get("ExecutionRoleArn")) or pipeline, addresses, step.pointer)
        yield from of_model(worker, step, scores=scores)


def _checking(step: Step) -> Iterator[Job]:
    """The processing job behind a step that checks."""
    if step.type in ("QualityCheck", "ClarifyCheck"):
        as_processing = replace(step, type="Processing")
        yield Job(as_processing, step.arguments, f"{step.pointer}/Arguments")


def _calling(subject: Subject, addresses: Addresses, step: Step) -> Iterator[Need]:
    """What the roles need of those functions whose configuration is known."""
    arn = addresses.text(step.document.get("FunctionArn")) if step.type == "Lambda" else ""
    name = arn.partition(":function:")[2].partition(":")[0]
    configuration: Any = subject.beside.functions.get(name, {})
    role = addresses.role(at(dict(configuration), "Role"))
    if role:
        yield from of_function(Worker(role, addresses, step.pointer), name)
