"""The operations of Lambda that moto lacks: invocations and provisioned concurrency."""

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
from pedigree.localaws.services.lambda_.function_catalog import split_name
from pedigree.localaws.services.lambda_.invoker import Invoker
from pedigree.localaws.services.lambda_.provisioned_concurrency import ProvisionedConcurrencyConfigs

_MAX_REQUEST_BYTES = 6_291_456
_MAX_EVENT_BYTES = 1_048_576


class InvocationOperations:
    """Invokes functions synchronously, asynchronously, or as a dry run."""

    def __init__(self, invoker: Invoker, async_invoker: AsyncInvoker) -> None:
        self._invoker = invoker
        self._async_invoker = async_invoker
        self._by_type: Mapping[str, Callable[[Exchange], Response]] = {
            "RequestResponse": self._request_response,
            "Event": self._event,
            "DryRun": self._dry_run,
        }

    def invoke(self, exchange: Exchange) -> Response:
        """Invoke a function as its InvocationType says."""
        invocation_type = exchange.members.get("InvocationType", "RequestResponse")
        check_size(exchange.body, _MAX_EVENT_BYTES if invocation_type == "Event" else _MAX_REQUEST_BYTES)
        _check_json(exchange.body)
        return self._by_type[invocation_type](exchange)

    def _request_response(self, exchange: Exchange) -> Response:
        members = exchange.members
        context = _client_context(members.get("ClientContext"))
        result = self._invoker.invoke(members["FunctionName"], exchange.body, members.get("Qualifier", ""), context)
        headers = {"X-Amz-Executed-Version": result.version}
        if result.error:
            headers["X-Amz-Function-Error"] = result.error
        if members.get("LogType") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(invocation_log.log_tail(result.lines)).decode()
        return json_response(result.body, 200, headers, result.id)

    def _event(self, exchange: Exchange) -> Response:
        function = self._invoker.catalog.find(exchange.members["FunctionName"], exchange.members.get("Qualifier", ""))
        return json_response(b"", 202, {}, self._async_invoker.enqueue(function, exchange.body.decode()))

    def _dry_run(self, exchange: Exchange) -> Response:
        function = self._invoker.catalog.find(exchange.members["FunctionName"], exchange.members.get("Qualifier", ""))
        return json_response(b"", 204, {"X-Amz-Executed-Version": function.version})


class ProvisionedConcurrencyOperations:
    """Configures provisioned concurrency."""

    def __init__(self, provisioned: ProvisionedConcurrencyConfigs) -> None:
        self._provisioned = provisioned

    def put_provisioned_concurrency_config(self, exchange: Exchange) -> Mapping[str, Any]:
        requested = exchange.members["ProvisionedConcurrentExecutions"]
        return self._provisioned.put(*_qualified(exchange), requested)

    def get_provisioned_concurrency_config(self, exchange: Exchange) -> Mapping[str, Any]:
        return self._provisioned.get(*_qualified(exchange))

    def list_provisioned_concurrency_configs(self, exchange: Exchange) -> Mapping[str, Any]:
        function, _ = split_name(exchange.members["FunctionName"])
        return {"ProvisionedConcurrencyConfigs": self._provisioned.list_all(function)}

    def delete_provisioned_concurrency_config(self, exchange: Exchange) -> Mapping[str, Any]:
        self._provisioned.remove(*_qualified(exchange))
        return {}


def _qualified(exchange: Exchange) -> tuple[str, str]:
    return split_name(exchange.members["FunctionName"])[0], exchange.members["Qualifier"]


def check_size(payload: bytes, max_bytes: int = _MAX_REQUEST_BYTES) -> None:
    """Refuse a payload that is too large for an invocation."""
    if len(payload) > max_bytes:
        message = f"Request must be smaller than {max_bytes} bytes for the InvokeFunction operation"
        raise ServiceError("RequestTooLargeException", message, 413)


def _check_json(body: bytes) -> None:
    try:
        json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        message = f"Could not parse request body into json: {error}"
        raise ServiceError("InvalidRequestContentException", message) from None


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
