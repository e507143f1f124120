"""From the name of an operation and a request to an answer, or to an error in AWS's form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pedigree.language.shapes import service as model
from pedigree.localaws.http.protocol.serializer import shaped
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.http.protocol.validator import checked
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import unsupported

Request: TypeAlias = dict[str, Any]
Handler: TypeAlias = Callable[[World, Request], Mapping[str, Any]]


_NEEDED: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    ("ListPipelineExecutionSteps", "StopPipelineExecution", "RetryPipelineExecution"), ("PipelineExecutionArn",)
)
_READING = ("Describe", "List", "Search", "Get")


class UnknownOperationError(ServiceError):
    """An operation that SageMaker has not, or that is not supported on this machine."""

    def __init__(self, operation: str) -> None:
        known = operation in model().operation_names
        why = "is not supported by the local AWS" if known else "is no operation of SageMaker"
        super().__init__("UnknownOperationException", f"{operation} {why}")


@dataclass(frozen=True)
class Service:
    """The operations that are supported, by name."""

    world: World
    handlers: Mapping[str, Handler]

    def answer(self, operation: str, request: Any) -> dict[str, Any]:
        """What an operation answers; ServiceError if it says no."""
        handler = self.handlers.get(operation)
        if handler is None:
            raise UnknownOperationError(operation)
        described = model().operation_model(operation)
        asked = checked(described.input_shape, request)
        _check_needed(operation, asked)
        unsupported.refuse(operation, asked)
        told = handler(self.world, asked)
        if not operation.startswith(_READING):
            self.world.signal.wake()
        answer: dict[str, Any] = shaped(described.output_shape, told)
        return answer


def _check_needed(operation: str, asked: Request) -> None:
    """Refuse a request without a member that the model leaves open, and the operation does not."""
    for member in _NEEDED.get(operation, ()):
        if member not in asked:
            place = f"{member[0].lower()}{member[1:]}"
            raise InvalidRequestError(
                f"1 validation error detected: Value null at '{place}' failed to satisfy constraint: "
                "Member must not be null"
            )


def joined(tables: Iterable[Mapping[str, Handler]]) -> Mapping[str, Handler]:
    """Tables of handlers as one; an operation has one handler."""
    everything: dict[str, Handler] = {}
    for table in tables:
        twice = everything.keys() & table.keys()
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))}: two handlers")
        everything.update(table)
    return everything
