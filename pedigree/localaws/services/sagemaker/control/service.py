"""Answers an operation: checks the request against the API's model, calls the handler, shapes the answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pedigree.language.shapes import service as model
from pedigree.localaws.http.protocol.serializer import shaped
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.protocol.validator import checked
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import unsupported
from pedigree.localaws.services.sagemaker.resources.handlers import handlers

_READ_ONLY = ("Describe", "List", "Search", "Get")


class UnknownOperationError(ServiceError):
    """The operation does not exist in SageMaker, or the local AWS does not support it."""

    def __init__(self, operation: str) -> None:
        exists = operation in model().operation_names
        why = "is not supported by the local AWS" if exists else "is no operation of SageMaker"
        super().__init__("UnknownOperationException", f"{operation} {why}")


class Service:
    """SageMaker's control plane: the operations of all families."""

    def __init__(self, world: World, families: Iterable[object]) -> None:
        self._world = world
        self.handlers = handlers(families)

    def answer(self, operation: str, request: Any) -> dict[str, Any]:
        """Answer an operation; ServiceError if it is refused."""
        handler = self.handlers.get(operation)
        if handler is None:
            raise UnknownOperationError(operation)
        shapes = model().operation_model(operation)
        members = checked(shapes.input_shape, request)
        unsupported.refuse(operation, members)
        result = handler(self._world, members)
        if not operation.startswith(_READ_ONLY):
            self._world.signal.wake()
        answer: dict[str, Any] = shaped(shapes.output_shape, result)
        return answer
