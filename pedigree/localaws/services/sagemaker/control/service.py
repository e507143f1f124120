"""SageMaker's control plane: checks a request against the API's model, calls the handler, shapes the answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from werkzeug import Response

from pedigree.language.shapes import service as model
from pedigree.localaws.http.caller import Caller
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.protocol.serializer import content_type, json_response, shaped
from pedigree.localaws.http.protocol.validator import checked
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import unsupported
from pedigree.localaws.services.sagemaker.resources.handlers import CALLER, CREATED_BY, handlers

_READ_ONLY = ("Describe", "List", "Search", "Get")


class UnknownOperationError(ServiceError):
    """The operation does not exist in SageMaker, or the local AWS does not support it."""

    def __init__(self, operation: str) -> None:
        exists = operation in model().operation_names
        why = "is not supported by the local AWS" if exists else "is no operation of SageMaker"
        super().__init__("UnknownOperationException", f"{operation} {why}")


class ControlPlane:
    """The operations of all families, for requests from HTTP and for the local AWS's own calls."""

    def __init__(self, world: World, families: Iterable[object]) -> None:
        self._world = world
        self.handlers = handlers(families)

    def supports(self, operation: str) -> bool:
        """Whether an operation has a handler."""
        return operation in self.handlers

    def __call__(self, exchange: Exchange) -> Response:
        """Answer a request that was validated on its way here."""
        by = _by(exchange.operation, exchange.caller)
        members = self.perform(exchange.operation, {**exchange.members, **by})
        return json_response(members, content_type=content_type("sagemaker"))

    def answer(self, operation: str, request: Any, caller: Caller | None = None) -> dict[str, Any]:
        """Answer an operation; ServiceError if it is refused."""
        if operation not in self.handlers:
            raise UnknownOperationError(operation)
        members = checked(model().operation_model(operation).input_shape, request)
        return self.perform(operation, {**members, **_by(operation, caller)})

    def perform(self, operation: str, members: dict[str, Any]) -> dict[str, Any]:
        """Answer a request that fits the model."""
        unsupported.refuse(operation, members)
        result = self.handlers[operation](self._world, members)
        if not operation.startswith(_READ_ONLY):
            self._world.signal.wake()
        answer: dict[str, Any] = shaped(model().operation_model(operation).output_shape, result)
        return answer


def _by(operation: str, caller: Caller | None) -> dict[str, Any]:
    """The member of a request that says who makes it, where its resource says so, too."""
    return {CALLER: _user_context(caller)} if caller and operation in CREATED_BY else {}


def _user_context(caller: Caller) -> dict[str, Any]:
    """Who a caller is in answers; nothing for the account itself, which is no identity of IAM."""
    return {} if caller.is_root else {"IamIdentity": {"Arn": caller.arn, "PrincipalId": caller.user_id}}
