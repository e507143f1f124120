"""The operations of Lambda that moto cannot do: calls, and provisioned concurrency. All others are moto's."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from werkzeug import Request, Response

from pedigree.localaws.http.protocol.documents import document
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.replies import refused, reply
from pedigree.localaws.http.chain import Application, Environ, StartResponse
from pedigree.localaws.services.lambda_ import invocation_log
from pedigree.localaws.services.lambda_.async_invocations import AsyncInvoker
from pedigree.localaws.services.lambda_.environment_pool import ThrottledError
from pedigree.localaws.services.lambda_.function_catalog import split
from pedigree.localaws.services.lambda_.invoker import Invoker
from pedigree.localaws.services.lambda_.provisioned_concurrency import ProvisionedConcurrencyConfigs

_LOG = logging.getLogger(__name__)
_INVOCATIONS = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")
_PROVISIONED = re.compile(r"/2019-09-30/functions/([^/]+)/provisioned-concurrency/?")
_MOST_ASKED = 6_291_456
_MOST_PROMISED = 1_048_576
_TYPES = ("RequestResponse", "Event", "DryRun")

Answer: TypeAlias = Callable[[Request, str], Response]


class FunctionsApi:
    """Lambda over HTTP."""

    def __init__(
        self, invoker: Invoker, promised: AsyncInvoker, provisioned: ProvisionedConcurrencyConfigs, others: Application
    ) -> None:
        self._invoker = invoker
        self._promised = promised
        self._provisioned = provisioned
        self._others = others
        self._provisioning: Mapping[str, Answer] = {"PUT": self._put, "GET": self._get, "DELETE": self._delete}
        self._invocations: Mapping[str, Callable[[Request, str, bytes], Response]] = {
            "RequestResponse": self._invoke,
            "Event": self._promise,
            "DryRun": self._consider,
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The answer to a request."""
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        invocation, provisioning = _INVOCATIONS.fullmatch(path), _PROVISIONED.fullmatch(path)
        if invocation and method == "POST":
            return _answered(self._called, Request(environ), invocation[1])(environ, start_response)
        if provisioning and method in self._provisioning:
            answer = self._provisioning[method]
            return _answered(answer, Request(environ), provisioning[1])(environ, start_response)
        return self._others(environ, start_response)

    def _called(self, request: Request, name: str) -> Response:
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind not in self._invocations:
            raise ServiceError("InvalidParameterValueException", f"Invocation type {kind} is not one of {_TYPES}.")
        body = request.get_data()
        most = _MOST_PROMISED if kind == "Event" else _MOST_ASKED
        if len(body) > most:
            words = f"Request must be smaller than {most} bytes for the InvokeFunction operation"
            raise ServiceError("RequestTooLargeException", words, 413)
        _check_json(body)
        return self._invocations[kind](request, name, body)

    def _invoke(self, request: Request, name: str, body: bytes) -> Response:
        client = _client_context(request.headers.get("X-Amz-Client-Context"))
        invoked = self._invoker.invoke(name, body, request.args.get("Qualifier", ""), client)
        headers = {"X-Amz-Executed-Version": invoked.version}
        if invoked.error:
            headers["X-Amz-Function-Error"] = invoked.error
        if request.headers.get("X-Amz-Log-Type") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(invocation_log.tail(invoked.lines)).decode()
        return reply(invoked.body, 200, headers, invoked.id)

    def _promise(self, request: Request, name: str, body: bytes) -> Response:
        function = self._invoker.book.find(name, request.args.get("Qualifier", ""))
        request_id = self._promised.accept(function, body.decode())
        return reply(b"", 202, {}, request_id)

    def _consider(self, request: Request, name: str, _body: bytes) -> Response:
        function = self._invoker.book.find(name, request.args.get("Qualifier", ""))
        return reply(b"", 204, {"X-Amz-Executed-Version": function.version})

    def _put(self, request: Request, name: str) -> Response:
        wanted = document(request.get_data()).get("ProvisionedConcurrentExecutions")
        if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 1:
            words = (
                f"1 validation error detected: Value '{wanted}' at 'provisionedConcurrentExecutions' failed to satisfy "
                "constraint: Member must have value greater than or equal to 1"
            )
            raise ServiceError("ValidationException", words)
        return reply(self._provisioned.put(*_qualified(request, name), wanted), 202)

    def _get(self, request: Request, name: str) -> Response:
        if request.args.get("List") == "ALL":
            return reply({"ProvisionedConcurrencyConfigs": self._provisioned.all(split(name)[0])})
        return reply(self._provisioned.get(*_qualified(request, name)))

    def _delete(self, request: Request, name: str) -> Response:
        self._provisioned.remove(*_qualified(request, name))
        return reply(b"", 204, {})


def _answered(answer: Answer, request: Request, name: str) -> Response:
    try:
        return answer(request, name)
    except ThrottledError as error:
        more = {"Reason": error.reason, "retryAfterSeconds": "1"}
        return refused(error, more, {"Retry-After": "1"})
    except ServiceError as error:
        return refused(error)
    except Exception:  # noqa: BLE001  # a bug in here is told as AWS tells its own, and the log has all of it
        _LOG.exception("%s %s", request.method, request.path)
        return refused(ServiceError("ServiceException", "The local AWS failed; its log says more", 500))


def _qualified(request: Request, name: str) -> tuple[str, str]:
    name, told = split(name)
    qualifier = request.args.get("Qualifier") or told
    if not qualifier:
        words = "Value null at 'qualifier' failed to satisfy constraint: Member must not be null"
        raise ServiceError("ValidationException", f"1 validation error detected: {words}")
    return name, qualifier


def _check_json(body: bytes) -> None:
    try:
        json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        words = f"Could not parse request body into json: {error}"
        raise ServiceError("InvalidRequestContentException", words) from None


def _client_context(told: str | None) -> Any:
    if not told:
        return None
    try:
        context = json.loads(base64.b64decode(told, validate=True))
    except ValueError:
        raise ServiceError(
            "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object."
        ) from None
    return context if isinstance(context, dict) else None
