"""The jobs of a definition, with one view for all types of step: image, machines, hyperparameters, inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.language.definition import Step
from pedigree.language.pointers import at, entries

_TRAINING = ("Training", "Tuning")


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A request that describes containers on machines, and the pointer to it."""

    step: Step
    request: Mapping[str, Any]
    pointer: str

    @property
    def trains(self) -> bool:
        """Whether it is a training job, or one of a tuning job."""
        return self.step.type in _TRAINING

    def get(self, *path: str) -> Any:
        """The value at a path into the request, None if there is none."""
        return at(self.request, *path)

    def pointer_to(self, *path: str) -> str:
        """The pointer to the value at a path into the request."""
        return "/".join((self.pointer, *path))

    @property
    def hyperparameters(self) -> str:
        """The name of the member with the hyperparameters."""
        return "StaticHyperParameters" if self.step.type == "Tuning" else "HyperParameters"

    @property
    def fixed_hyperparameters(self) -> Mapping[str, Any]:
        """The hyperparameters with a fixed value; none where the job trains nothing."""
        values = self.get(self.hyperparameters) if self.trains else None
        return values if isinstance(values, Mapping) else {}

    @property
    def image(self) -> tuple[str, ...]:
        """The path to the image."""
        return ("AlgorithmSpecification", "TrainingImage") if self.trains else ("AppSpecification", "ImageUri")

    @property
    def cluster(self) -> tuple[str, ...]:
        """The path to the machines."""
        return ("ResourceConfig",) if self.trains else ("ProcessingResources", "ClusterConfig")

    def inputs(self) -> Iterator[tuple[str, Any]]:
        """The S3 addresses of its inputs, with their pointers."""
        if self.trains:
            for index, channel in entries(self.get("InputDataConfig")):
                path = ("DataSource", "S3DataSource", "S3Uri")
                yield self.pointer_to("InputDataConfig", str(index), *path), at(channel, *path)
        for index, data in entries(self.get("ProcessingInputs")):
            yield self.pointer_to(f"ProcessingInputs/{index}/S3Input/S3Uri"), at(data, "S3Input", "S3Uri")


def jobs(step: Step) -> Iterator[JobRequest]:
    """The jobs that a step describes: none, one, or several training definitions of a tuning job."""
    pointer = f"{step.pointer}/Arguments"
    if step.type in ("Training", "Processing"):
        yield JobRequest(step, step.arguments, pointer)
    elif step.type == "Tuning":
        single = step.arguments.get("TrainingJobDefinition")
        if isinstance(single, Mapping):
            yield JobRequest(step, single, f"{pointer}/TrainingJobDefinition")
        for index, request in entries(step.arguments.get("TrainingJobDefinitions")):
            yield JobRequest(step, request, f"{pointer}/TrainingJobDefinitions/{index}")
