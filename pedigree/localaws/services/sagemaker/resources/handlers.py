"""Operations are found by their names: the function create_model answers CreateModel, as in boto3.

A family is a module, or an object, with one function for each operation. So a new operation is one function in its
family, and nothing else lists it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from botocore import xform_name

from pedigree.language.shapes import service as model
from pedigree.localaws.kernel.world import World

Request: TypeAlias = dict[str, Any]
Handler: TypeAlias = Callable[[World, Request], Mapping[str, Any]]

CREATED_BY = frozenset(
    {
        *("CreatePipeline", "UpdatePipeline", "StartPipelineExecution"),
        *("UpdatePipelineExecution", "StopPipelineExecution", "RetryPipelineExecution"),
        *("CreateModelPackageGroup", "CreateModelPackage", "UpdateModelPackage"),
        *("CreateArtifact", "CreateAction", "CreateContext", "AddAssociation"),
        *("UpdateArtifact", "UpdateAction", "UpdateContext"),
    }
)
"""The operations whose resource says who has created or changed it."""
CALLER = "_caller"
"""The member of their requests that says who makes them, in the form of the answers' CreatedBy."""


def created_by(request: Request) -> Mapping[str, Any]:
    """The members of a new resource that say who has made it."""
    return {"CreatedBy": request.get(CALLER, {}), "LastModifiedBy": request.get(CALLER, {})}


def modified_by(request: Request) -> Mapping[str, Any]:
    """The member of a changed resource that says who has changed it."""
    return {"LastModifiedBy": request.get(CALLER, {})}


def handlers(families: Iterable[object]) -> Mapping[str, Handler]:
    """The function for each operation; ValueError if two families answer the same one."""
    by_operation: dict[str, Handler] = {}
    for family in families:
        for operation, handler in _named(family):
            if operation in by_operation:
                raise ValueError(f"{operation} has two handlers")
            by_operation[operation] = handler
    return by_operation


def _named(family: object) -> Iterable[tuple[str, Handler]]:
    candidates = ((name, getattr(family, xform_name(name), None)) for name in model().operation_names)
    return [(name, handler) for name, handler in candidates if handler is not None]
