"""The operations of Lambda that moto lacks: calls of functions, and provisioned concurrency."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.protocol.serializer import json_response
from pedigree.localaws.services.lambda_ import invocation_log
from pedigree.localaws.services.lambda_.async_invocations import AsyncInvoker
from pedigree.localaws.services.lambda_.function_catalog import split
from pedigree.localaws.services.lambda_.invoker import Invoker
from pedigree.localaws.services.lambda_.provisioned_concurrency import ProvisionedConcurrencyConfigs

_LARGEST_REQUEST = 6_291_456
_LARGEST_EVENT = 1_048_576


class InvocationOperations:
    """Calls functions: at once, later, or not at all."""

    def __init__(self, invoker: Invoker, asynchronous: AsyncInvoker) -> None:
        self._invoker = invoker
        self._asynchronous = asynchronous
        self._by_type: Mapping[str, Callable[[Exchange], Response]] = {
            "RequestResponse": self._request_response,
            "Event": self._event,
            "DryRun": self._dry_run,
        }

    def invoke(self, exchange: Exchange) -> Response:
        """Call a function in the way that the invocation type names."""
        invocation = exchange.members.get("InvocationType", "RequestResponse")
        most = _LARGEST_EVENT if invocation == "Event" else _LARGEST_REQUEST
        if len(exchange.body) > most:
            words = f"Request must be smaller than {most} bytes for the InvokeFunction operation"
            raise ServiceError("RequestTooLargeException", words, 413)
        _check_json(exchange.body)
        return self._by_type[invocation](exchange)

    def _request_response(self, exchange: Exchange) -> Response:
        members = exchange.members
        client = _client_context(members.get("ClientContext"))
        invoked = self._invoker.invoke(members["FunctionName"], exchange.body, members.get("Qualifier", ""), client)
        headers = {"X-Amz-Executed-Version": invoked.version}
        if invoked.error:
            headers["X-Amz-Function-Error"] = invoked.error
        if members.get("LogType") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(invocation_log.tail(invoked.lines)).decode()
        return json_response(invoked.body, 200, headers, invoked.id)

    def _event(self, exchange: Exchange) -> Response:
        function = self._invoker.book.find(exchange.members["FunctionName"], exchange.members.get("Qualifier", ""))
        return json_response(b"", 202, {}, self._asynchronous.accept(function, exchange.body.decode()))

    def _dry_run(self, exchange: Exchange) -> Response:
        function = self._invoker.book.find(exchange.members["FunctionName"], exchange.members.get("Qualifier", ""))
        return json_response(b"", 204, {"X-Amz-Executed-Version": function.version})


class ProvisionedConcurrencyOperations:
    """Keeps environments of functions ready."""

    def __init__(self, provisioned: ProvisionedConcurrencyConfigs) -> None:
        self._provisioned = provisioned

    def put_provisioned_concurrency_config(self, exchange: Exchange) -> Mapping[str, Any]:
        """Ask for so many environments of a version or an alias."""
        wanted = exchange.members["ProvisionedConcurrentExecutions"]
        return self._provisioned.put(*_qualified(exchange), wanted)

    def get_provisioned_concurrency_config(self, exchange: Exchange) -> Mapping[str, Any]:
        """How many are ready."""
        return self._provisioned.get(*_qualified(exchange))

    def list_provisioned_concurrency_configs(self, exchange: Exchange) -> Mapping[str, Any]:
        """What was asked for of a function's versions and aliases."""
        function, _ = split(exchange.members["FunctionName"])
        return {"ProvisionedConcurrencyConfigs": self._provisioned.all(function)}

    def delete_provisioned_concurrency_config(self, exchange: Exchange) -> Mapping[str, Any]:
        """Ask for none any more."""
        self._provisioned.remove(*_qualified(exchange))
        return {}


def _qualified(exchange: Exchange) -> tuple[str, str]:
    return split(exchange.members["FunctionName"])[0], exchange.members["Qualifier"]


def _check_json(body: bytes) -> None:
    try:
        json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        words = f"Could not parse request body into json: {error}"
        raise ServiceError("InvalidRequestContentException", words) from None


def _client_context(text: str | None) -> Any:
    if not text:
        return None
    try:
        context = json.loads(base64.b64decode(text, validate=True))
    except ValueError:
        raise ServiceError(
            "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object."
        ) from None
    return context if isinstance(context, dict) else None
