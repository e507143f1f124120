"""What runs in containers, seen alike whatever type of step it is: image, machines, environment, data and outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.language.definition import Step

_TRAINING = ("Training", "Tuning")
_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z0-9.]+/(?P<repository>[^:@]+)(?:[:@](?P<tag>.+))?"
)
_PROCESSORS = (
    ("arm64", re.compile(r"^ml\.[a-z]\dg[a-z]*\.|^ml\.p6e-gb200\.")),
    ("accelerator", re.compile(r"^ml\.(inf|trn|dl)\d")),
    ("gpu", re.compile(r"^ml\.[gp]\d")),
)


@dataclass(frozen=True, slots=True)
class Job:
    """A request that describes containers on machines, and where it stands."""

    step: Step
    request: Mapping[str, Any]
    pointer: str

    @property
    def trains(self) -> bool:
        """Whether it is a training job, or one of a search."""
        return self.step.type in _TRAINING

    def get(self, *path: str) -> Any:
        """What lies at a path into the request, None if nothing does."""
        return at(self.request, *path)

    def place(self, *path: str) -> str:
        """The pointer to what lies at a path into the request."""
        return "/".join((self.pointer, *path))

    @property
    def hyperparameters(self) -> str:
        """The name of the member that has the hyperparameters."""
        return "StaticHyperParameters" if self.step.type == "Tuning" else "HyperParameters"

    @property
    def fixed(self) -> Mapping[str, Any]:
        """The hyperparameters; none where the job trains nothing."""
        found = self.get(self.hyperparameters) if self.trains else None
        return found if isinstance(found, Mapping) else {}

    @property
    def image(self) -> tuple[str, ...]:
        """The path to the image."""
        if self.trains:
            return ("AlgorithmSpecification", "TrainingImage")
        return ("AppSpecification", "ImageUri")

    def reads(self) -> Iterator[tuple[str, Any]]:
        """The S3 addresses of its inputs, with their pointers."""
        if self.trains:
            for index, one in entries(self.get("InputDataConfig")):
                inner = f"InputDataConfig/{index}/DataSource/S3DataSource/S3Uri"
                yield self.place(inner), at(one, "DataSource", "S3DataSource", "S3Uri")
        for index, one in entries(self.get("ProcessingInputs")):
            yield self.place(f"ProcessingInputs/{index}/S3Input/S3Uri"), at(one, "S3Input", "S3Uri")

    @property
    def cluster(self) -> tuple[str, ...]:
        """The path to the machines."""
        return ("ResourceConfig",) if self.trains else ("ProcessingResources", "ClusterConfig")


@dataclass(frozen=True)
class Image:
    """What the address of one of AWS's images says."""

    region: str
    repository: str
    tag: str

    @property
    def release(self) -> tuple[int, int] | None:
        """Major and minor version of the framework."""
        match = re.match(r"v?(\d+)\.(\d+)", self.tag)
        return (int(match[1]), int(match[2])) if match else None

    @property
    def is_pytorch(self) -> bool:
        """Whether it is one of the PyTorch images."""
        return self.repository in ("pytorch", "pytorch-training", "pytorch-inference")

    @property
    def processor(self) -> str:
        """What it is made for, cpu or gpu, empty where its tag does not say."""
        found = re.search(r"-(cpu|gpu|cu\d+)(?:-|$)", self.tag)
        return "" if not found else "cpu" if found[1] == "cpu" else "gpu"


def image(address: Any) -> Image | None:
    """The parts of an address in ECR."""
    match = _IMAGE.fullmatch(address) if isinstance(address, str) else None
    return Image(match["region"], match["repository"], match["tag"] or "") if match else None


def processor(instance_type: str) -> str:
    """What an image must be made for to run on a machine."""
    return next((kind for kind, pattern in _PROCESSORS if pattern.match(instance_type)), "cpu")


def jobs(step: Step) -> Iterator[Job]:
    """The jobs that a step describes: none, one, or the several training definitions of a search."""
    pointer = f"{step.pointer}/Arguments"
    if step.type in ("Training", "Processing"):
        yield Job(step, step.arguments, pointer)
    elif step.type == "Tuning":
        one, several = step.arguments.get("TrainingJobDefinition"), step.arguments.get("TrainingJobDefinitions")
        if isinstance(one, Mapping):
            yield Job(step, one, f"{pointer}/TrainingJobDefinition")
        for index, each in enumerate(several if isinstance(several, list) else ()):
            if isinstance(each, Mapping):
                yield Job(step, each, f"{pointer}/TrainingJobDefinitions/{index}")


def at(value: Any, *path: str) -> Any:
    """What lies at a path into a JSON value, None if nothing does."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def entries(value: Any) -> list[tuple[int, Mapping[str, Any]]]:
    """The objects of a JSON list with their indexes."""
    return [(index, one) for index, one in enumerate(value) if isinstance(one, Mapping)] if type(value) is list else []
