"""Finds the steps of a definition that cannot run here, so that they are refused by name before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from pedigree.errors import Mistake
from pedigree.language import iteration
from pedigree.language.definition import Definition, Step
from pedigree.language.shapes import OPERATIONS
from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.services.sagemaker.executions.steps.types import STEP_TYPES
from pedigree.localaws.services.sagemaker.resources import unsupported
from pedigree.localaws.services.sagemaker.resources.images import Images, processing_command, training_command

Command: TypeAlias = Callable[[Mapping[str, Any], Images], tuple[str, ...]]


def check(definition: Definition, images: Images) -> None:
    """Refuse steps of other types, members of requests that are not supported, and images that nothing stands for."""
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
        for command, job in _jobs(step):
            try:
                if _is_known(job):
                    command(job, images)
            except Mistake as error:
                raise InvalidRequestError(f"Step {step.name}: {error}") from None


def _all_steps(definition: Definition) -> Iterator[Step]:
    """Every step; those inside of a ForEach step follow it."""
    for step in definition.all_steps():
        yield step
        yield from iteration.body(step)


def _jobs(step: Step) -> Iterator[tuple[Command, Mapping[str, Any]]]:
    """The requests for jobs in a step, and what says which command each runs."""
    arguments = step.own_arguments
    if step.type == "Processing":
        yield processing_command, arguments
    elif step.type == "Training":
        yield training_command, arguments
    elif step.type == "Tuning":
        single = [arguments[name] for name in ("TrainingJobDefinition",) if name in arguments]
        yield from ((training_command, job) for job in (*single, *arguments.get("TrainingJobDefinitions", ())))


def _is_known(job: Mapping[str, Any]) -> bool:
    """Whether the members that say what a job runs are there, and no expressions."""
    processing = job.get("AppSpecification")
    if isinstance(processing, Mapping) and "ImageUri" in processing and not processing.get("ContainerEntrypoint"):
        return True
    application = processing or job.get("AlgorithmSpecification") or {}
    image = application.get("ImageUri") or application.get("TrainingImage")
    return isinstance(image, str) and isinstance(application.get("ContainerEntrypoint", []), list)
