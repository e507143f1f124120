"""Finds the steps of a definition that cannot run here, so that they are refused by name before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.language import iteration
from pedigree.language.definition import Definition, Step
from pedigree.language.shapes import OPERATIONS
from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.services.sagemaker.executions.steps.types import STEP_TYPES
from pedigree.localaws.services.sagemaker.resources import images, unsupported

_PROGRAM = "sagemaker_program"


def check(definition: Definition) -> None:
    """Refuse steps of other types, and members of requests that are not supported."""
    foreign = [f"{step.name} ({step.type})" for step in _all_steps(definition) if step.type not in STEP_TYPES]
    if foreign:
        raise InvalidRequestError(
            f"The local AWS runs no steps of these types: {', '.join(foreign)}. Leave them out for this machine."
        )
    for step in _all_steps(definition):
        try:
            unsupported.refuse(OPERATIONS[step.type].create if step.type in OPERATIONS else "", step.own_arguments)
        except InvalidRequestError as error:
            raise InvalidRequestError(f"Step {step.name}: {error}") from None
        for why in filter(None, map(_refusal, _jobs(step))):
            raise InvalidRequestError(f"Step {step.name}: {why}")


def _refusal(job: Mapping[str, Any]) -> str:
    """Why the program of a job cannot run here; empty if it can, or if only its creation will tell."""
    application = job.get("AppSpecification")
    if isinstance(application, Mapping) and "ImageUri" in application:
        return images.processing_refusal(application)
    return images.refusal(job)


def steps_of_images(definition: Definition) -> list[str]:
    """The steps that run a program inside of an image. Images are not pulled, so there is nothing to run."""
    return [step.name for step in _all_steps(definition) if any(map(_has_no_program, _jobs(step)))]


def steps_of_toolkit(definition: Definition) -> list[str]:
    """The steps whose script AWS's training toolkit starts."""
    return [
        step.name for step in _all_steps(definition) if any(_script(job) and not _command(job) for job in _jobs(step))
    ]


def _all_steps(definition: Definition) -> Iterator[Step]:
    """Every step; those inside of a ForEach step follow it."""
    for step in definition.all_steps():
        yield step
        yield from iteration.body(step)


def _jobs(step: Step) -> Iterator[Mapping[str, Any]]:
    """The requests for jobs in a step."""
    arguments = step.own_arguments
    if step.type in ("Processing", "Training"):
        yield arguments
    elif step.type == "Tuning":
        yield from (arguments[name] for name in ("TrainingJobDefinition",) if name in arguments)
        yield from arguments.get("TrainingJobDefinitions", ())


def _has_no_program(job: Mapping[str, Any]) -> bool:
    return not _command(job) and not _script(job)


def _command(job: Mapping[str, Any]) -> Any:
    return (job.get("AppSpecification") or job.get("AlgorithmSpecification") or {}).get("ContainerEntrypoint")


def _script(job: Mapping[str, Any]) -> Any:
    return (job.get("HyperParameters") or job.get("StaticHyperParameters") or {}).get(_PROGRAM)
