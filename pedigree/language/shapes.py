"""The shapes of the requests and answers behind the steps, from botocore's model.

A step's Arguments are the input of a Create* operation without the name, which the service chooses. A reference to a
finished step is a path into the output of the matching Describe* operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from pedigree.language import model
from pedigree.language.errors import UnresolvedError
from pedigree.language.expressions import Member, Segment
from pedigree.language.near import did_you_mean

if TYPE_CHECKING:
    from botocore.model import ServiceModel

Shape: TypeAlias = Any
"""A shape of the model: botocore's own, or a plain one of pedigree/language/model.py."""

PYTHON: Mapping[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "boolean": bool,
}
"""For each type of the model, the Python type of a value from JSON."""


@dataclass(frozen=True)
class Operation:
    """The operation behind a type of step."""

    create: str
    name_member: str
    describe: tuple[str, ...]


OPERATIONS: Mapping[str, Operation] = {
    "Processing": Operation("CreateProcessingJob", "ProcessingJobName", ("DescribeProcessingJobResponse",)),
    "Training": Operation("CreateTrainingJob", "TrainingJobName", ("DescribeTrainingJobResponse",)),
    "Tuning": Operation(
        "CreateHyperParameterTuningJob",
        "HyperParameterTuningJobName",
        ("DescribeHyperParameterTuningJobResponse", "ListTrainingJobsForHyperParameterTuningJobResponse"),
    ),
    "Transform": Operation("CreateTransformJob", "TransformJobName", ("DescribeTransformJobResponse",)),
    "Model": Operation("CreateModel", "ModelName", ("DescribeModelOutput",)),
    "RegisterModel": Operation("CreateModelPackage", "ModelPackageName", ("DescribeModelPackageOutput",)),
    "EndpointConfig": Operation("CreateEndpointConfig", "EndpointConfigName", ("DescribeEndpointConfigOutput",)),
    "Endpoint": Operation("CreateEndpoint", "EndpointName", ("DescribeEndpointOutput",)),
}
# Types of step without an operation of their own, whose values are those of their Metadata.
_OWN_VALUES: Mapping[str, tuple[str, ...]] = {"Lineage": ("LineageMetadata",)}
PRIMITIVES = {
    "string": "String",
    "timestamp": "String",
    "integer": "Integer",
    "long": "Integer",
    "float": "Float",
    "double": "Float",
    "boolean": "Boolean",
}
# Types of step whose outputs are declared in the definition itself.
DECLARING = ("Lambda", "Callback")


@cache
def service() -> ServiceModel:
    """SageMaker's model in botocore's own classes."""
    # Imported when needed: botocore's code takes longer to import than a whole check takes.
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")


def request_shape(step_type: str) -> Shape | None:
    """The input of the operation behind a type of step, None if there is no operation."""
    operation = OPERATIONS.get(step_type)
    return service().operation_model(operation.create).input_shape if operation else None


def follow(step_type: str, path: Sequence[Segment]) -> Shape:
    """The shape at the end of a path into a step's description; UnresolvedError if the path leaves it."""
    responses = OPERATIONS[step_type].describe if step_type in OPERATIONS else _OWN_VALUES.get(step_type, ())
    failures: list[tuple[int, UnresolvedError]] = []
    for name in responses:
        shape: Shape = model.shape(name)
        for depth, segment in enumerate(path):
            inner = _enter(shape, segment)
            if inner is None:
                failures.append((depth, _no_such(shape, segment)))
                break
            shape = inner
        else:
            return shape
    # Of several answers, report the one that the path follows the longest.
    raise (
        max(failures, key=itemgetter(0))[1]
        if failures
        else UnresolvedError(f"a {step_type} step has no values to refer to")
    )


def kind(shape: Shape) -> str:
    """The type of a shape's value in the definition language; for a structure, list or map its own word."""
    name: str = shape.type_name
    return PRIMITIVES.get(name, name)


def _enter(shape: Shape, segment: Segment) -> Shape | None:
    if isinstance(segment, Member):
        return inside(shape, segment.name) if shape.type_name != "list" else None
    return inside(shape, segment.key) if shape.type_name != "structure" else None


def _no_such(shape: Shape, segment: Segment) -> UnresolvedError:
    if isinstance(segment, Member) and shape.type_name == "structure":
        return UnresolvedError(f"{shape.name} has no {segment.name}", did_you_mean(segment.name, shape.members))
    written = f".{segment.name}" if isinstance(segment, Member) else f"[{segment.key!r}]"
    return UnresolvedError(f"{shape.name} is a {shape.type_name}, so {written} leads nowhere in it")


def inside(shape: Shape | None, key: str | int) -> Shape | None:
    """The shape of a member or an entry, None if there is none."""
    enter = _INSIDE.get(shape.type_name) if shape is not None else None
    return enter(shape, key) if enter else None


_INSIDE: Mapping[str, Callable[[Shape, str | int], Shape | None]] = {
    "structure": lambda shape, key: shape.members.get(key),
    "list": lambda shape, _: shape.member,
    "map": lambda shape, _: shape.value,
}
