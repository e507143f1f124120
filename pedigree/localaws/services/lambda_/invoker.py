"""One call of a function: an environment, the event, the answer, and what the log says of it."""

from __future__ import annotations

import os
import platform
import secrets
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.clients import Clients
from pedigree.localaws.kernel.interfaces import LogWriter
from pedigree.localaws.kernel.world import Clock
from pedigree.localaws.services.lambda_ import hot_reload, invocation_log
from pedigree.localaws.services.lambda_.code_cache import CodeCache
from pedigree.localaws.services.lambda_.environment_pool import EnvironmentPool, OnProcessStart, WarmEnvironment
from pedigree.localaws.services.lambda_.execution_environment import ExecutionEnvironment, HandlerResult, LaunchConfig
from pedigree.localaws.services.lambda_.function_catalog import Function, FunctionCatalog
from pedigree.localaws.services.lambda_.invocation_log import Invocation

INIT_SECONDS = 10.0
_NO_ROLE = "The role defined for the function cannot be assumed by Lambda."
# What the function's own variables may not replace.
_RESERVED = (
    "_HANDLER",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_LAYERS",
    "AWS_REGION",
    "AWS_LAMBDA_",
    "AWS_ACCESS_KEY",
    "AWS_SECRET",
    "AWS_SESSION",
)


@dataclass(frozen=True)
class RuntimeConfig:
    """What functions run on: a Python, and the variables that every process has."""

    python: str = sys.executable
    environment: Mapping[str, str] = field(default_factory=dict)
    cores: int = 2
    idle_seconds: float = 300.0


@dataclass(frozen=True)
class InvocationResult:
    """What a caller gets: a body, the kind of error if it is one, who answered, and the lines of the log."""

    id: str
    body: bytes
    error: str
    version: str
    lines: list[str]


class Invoker:
    """Calls functions."""

    def __init__(
        self,
        book: FunctionCatalog,
        clients: Clients,
        codes: CodeCache,
        logs: LogWriter,
        clock: Clock,
        machine: RuntimeConfig,
    ) -> None:
        self.book = book
        self._clients = clients
        self._codes = codes
        self._logs = logs
        self._clock = clock
        self._machine = machine
        self.fleet = EnvironmentPool(self._start, machine.cores, machine.idle_seconds)

    def invoke(
        self, name_or_arn: str, payload: bytes, qualifier: str = "", client: Any = None, request_id: str = ""
    ) -> InvocationResult:
        """Call a function and wait for its answer; ServiceError if it cannot be called."""
        function = self.book.find(name_or_arn, qualifier)
        request_id = request_id or str(uuid.uuid4())
        told = {"id": request_id, "arn": function.invoked_arn, "client": client}
        warm, is_new = self.fleet.take(function)
        began = time.monotonic()
        try:
            answer = _answered(warm, told, payload)
            call = Invocation(request_id, function, time.monotonic() - began, warm.init_seconds if is_new else None)
        finally:
            self.fleet.give_back(warm)
        return self._told(call, answer, warm)

    def _told(self, call: Invocation, answer: HandlerResult, warm: WarmEnvironment) -> InvocationResult:
        body, error = invocation_log.body(call, answer)
        lines = invocation_log.lines(call, answer)
        self._logs.write(call.function.log_group, warm.stream, *lines)
        return InvocationResult(call.id, body, error, call.function.version, lines)

    def _start(self, function: Function, is_provisioned: bool, begun: OnProcessStart) -> WarmEnvironment:
        if not function.runtime.startswith("python"):
            known = f"{function.runtime or 'of an image'} is not supported by the local AWS; it runs python functions"
            raise ServiceError("InvalidRuntimeException", f"The runtime {known}")
        changing = hot_reload.folder(function.code)
        folder = changing or self._codes.folder(function.digest, function.code)
        layers = [self._codes.folder(layer.digest, layer.content) for layer in function.layers]
        stream = f"{self._clock.now():%Y/%m/%d}/[{function.version}]{secrets.token_hex(16)}"
        began = time.monotonic()
        variables = self._variables(function, str(folder), stream, is_provisioned=is_provisioned)
        variables = {**variables, **_beside(variables, layers)}
        # What Python keeps compiled it takes for the same if a change comes in the same second.
        environment = ExecutionEnvironment(
            LaunchConfig(self._machine.python, folder, variables, keeps_compiled=changing is None)
        )
        begun(environment)
        started = environment.ready(INIT_SECONDS + function.seconds)
        return WarmEnvironment(environment, function, stream, started, time.monotonic() - began)

    def _variables(self, function: Function, folder: str, stream: str, *, is_provisioned: bool) -> Mapping[str, str]:
        """What AWS's runtime sets, the function's own variables, and who it is."""
        own = {name: value for name, value in function.variables.items() if not name.startswith(_RESERVED)}
        region = function.arn.split(":")[3]
        return {
            **self._machine.environment,
            **own,
            "_HANDLER": function.handler,
            "LAMBDA_TASK_ROOT": folder,
            "LAMBDA_RUNTIME_DIR": folder,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{platform.python_version().rpartition('.')[0]}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency" if is_provisioned else "on-demand",
            "TZ": ":UTC",
            **self._identity(function),
        }

    def _identity(self, function: Function) -> Mapping[str, str]:
        try:
            return self._clients.assume_role(function.taking)
        except ServiceError:
            raise ServiceError("AccessDeniedException", _NO_ROLE, 403) from None


def _beside(variables: Mapping[str, str], layers: Sequence[Path]) -> Mapping[str, str]:
    """What tells a process of its layers; of files of one name in several the last layer's is found, as in /opt."""
    if not layers:
        return {}
    places = [str(layer) for layer in reversed(layers)]
    commands = [f"{place}/bin" for place in places]
    return {
        "LAMBDA_LAYERS": os.pathsep.join(places),
        "PATH": os.pathsep.join([*commands, variables.get("PATH", os.defpath)]),
    }


def _answered(warm: WarmEnvironment, told: Mapping[str, Any], payload: bytes) -> HandlerResult:
    """The answer of an environment, which is ended unless it can be called again."""
    try:
        answer = warm.started
        if not answer.is_error:
            answer = warm.environment.call(told, payload, warm.function.seconds)
    except BaseException:
        warm.environment.end()
        raise
    if warm.started.is_error or answer.is_over:
        warm.environment.end()
    return answer
