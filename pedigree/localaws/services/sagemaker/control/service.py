"""Answers an operation: checks the request against the API's model, calls the handler, shapes the answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pedigree.language.shapes import service as model
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.protocol.serializer import shaped
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
        if operation not in self.handlers:
            raise UnknownOperationError(operation)
        return self.perform(operation, checked(model().operation_model(operation).input_shape, request))

    def perform(self, operation: str, members: dict[str, Any]) -> dict[str, Any]:
        """Answer a request that fits the model."""
        unsupported.refuse(operation, members)
        result = self.handlers[operation](self._world, members)
        if not operation.startswith(_READ_ONLY):
            self._world.signal.wake()
        answer: dict[str, Any] = shaped(model().operation_model(operation).output_shape, result)
        return answer
