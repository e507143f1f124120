"""All permissions that a definition requires of roles, and what cannot be read from the definition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pedigree.checks.jobs import JobRequest, jobs
from pedigree.checks.roles.permission import PIPELINE, RequiredPermission
from pedigree.checks.roles.pipeline_role import PipelineRole
from pedigree.checks.roles.resource_names import ResourceNames
from pedigree.checks.roles.workload_roles import WorkloadRole, of_function, of_job, of_model
from pedigree.checks.subject import Subject
from pedigree.language.definition import Step
from pedigree.language.expressions import JsonGet, is_expression
from pedigree.language.pointers import at

_PARTLY_KNOWN = ("Job", "AutoML")
"""The types of step whose roles need actions that pedigree cannot derive."""


def required_permissions(subject: Subject) -> list[RequiredPermission]:
    """The permissions of all roles, each once, in the order of the definition."""
    names = ResourceNames(subject)
    pipeline = PipelineRole(subject.evidence.pipeline_role or PIPELINE, names)
    scores = any(step.type == "Transform" for step in subject.steps)
    required: list[RequiredPermission] = []
    for step in subject.all_steps:
        required += [*pipeline.for_step(step), *_of_workloads(pipeline.name, names, step, scores=scores)]
        required += _of_functions(subject, names, step)
    for use in subject.uses:
        required += pipeline.for_json_get(use.reference, use.pointer) if isinstance(use.reference, JsonGet) else ()
    unique: dict[RequiredPermission, RequiredPermission] = {}
    for permission in required:
        unique.setdefault(replace(permission, pointer="", request_keys=()), permission)
    return list(unique.values())


def roles(required: Sequence[RequiredPermission]) -> list[str]:
    """The names of the roles that need something."""
    return list(dict.fromkeys(permission.role for permission in required))


def unknown_requirements(subject: Subject) -> Iterator[str]:
    """What a role may need besides, and only an execution can show; one line each."""
    names = ResourceNames(subject)
    for step in subject.steps:
        if step.type in _PARTLY_KNOWN:
            yield f"{step.name}: what the role of a {step.type} step needs is only partly derived"
        for pointer, value in subject.inputs(step):
            if is_expression(value) and names.bucket_and_key(value) is None:
                yield f"{pointer}: only an execution knows this address"


def _of_workloads(pipeline: str, names: ResourceNames, step: Step, *, scores: bool) -> Iterator[RequiredPermission]:
    for job in (*jobs(step), *_check_jobs(step)):
        role = WorkloadRole(names.role(job.get("RoleArn")) or pipeline, names, job.pointer)
        yield from of_job(role, job)
    if step.type == "Model":
        role = WorkloadRole(names.role(step.arguments.get("ExecutionRoleArn")) or pipeline, names, step.pointer)
        yield from of_model(role, step, scores=scores)


def _check_jobs(step: Step) -> Iterator[JobRequest]:
    """The processing job behind a QualityCheck or ClarifyCheck step."""
    if step.type in ("QualityCheck", "ClarifyCheck"):
        as_processing = replace(step, type="Processing")
        yield JobRequest(as_processing, step.arguments, f"{step.pointer}/Arguments")


def _of_functions(subject: Subject, names: ResourceNames, step: Step) -> Iterator[RequiredPermission]:
    """What the role of a step's function needs, where the function's configuration is given."""
    function = names.function(step)
    configuration: Any = subject.evidence.functions.get(function, {})
    role = names.role(at(configuration, "Role"))
    if role:
        yield from of_function(WorkloadRole(role, names, step.pointer), function)
