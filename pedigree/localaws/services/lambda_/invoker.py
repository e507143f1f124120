"""Invokes functions: takes an environment, passes the event, and writes the function's log."""

from __future__ import annotations

import os
import platform
import secrets
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pedigree.clock import Clock
from pedigree.localaws.containers.runtime import ContainerRuntime
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.clients import Clients
from pedigree.localaws.kernel.interfaces import LogWriter
from pedigree.localaws.services.lambda_ import hot_reload, invocation_log
from pedigree.localaws.services.lambda_.code_cache import CodeCache
from pedigree.localaws.services.lambda_.environment_pool import EnvironmentPool, OnProcessStart, WarmEnvironment
from pedigree.localaws.services.lambda_.execution_environment import (
    TASK_ROOT,
    ExecutionEnvironment,
    HandlerResult,
    LaunchConfig,
    layer_paths,
)
from pedigree.localaws.services.lambda_.function_catalog import Function, FunctionCatalog
from pedigree.localaws.services.lambda_.invocation_log import Invocation

_INIT_TIMEOUT_SECONDS = 10.0
_ROLE_ERROR = "The role defined for the function cannot be assumed by Lambda."
# A function's own variables cannot replace these.
_RESERVED_PREFIXES = (
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
    """The Python that runs functions, the variables of every process, the pool's limits, and containers if any."""

    python: str = sys.executable
    environment: Mapping[str, str] = field(default_factory=dict)
    cores: int = 2
    idle_seconds: float = 300.0
    containers: ContainerRuntime | None = None


@dataclass(frozen=True)
class InvocationResult:
    """What the caller of a function gets, with the lines of its log; error is empty if the function succeeded."""

    id: str
    body: bytes
    error: str
    version: str
    lines: list[str]


class Invoker:
    """Invokes functions synchronously."""

    def __init__(
        self,
        catalog: FunctionCatalog,
        clients: Clients,
        code: CodeCache,
        logs: LogWriter,
        clock: Clock,
        runtime: RuntimeConfig,
    ) -> None:
        self.catalog = catalog
        self._clients = clients
        self._code = code
        self._logs = logs
        self._clock = clock
        self._runtime = runtime
        self.pool = EnvironmentPool(self._start_environment, runtime.cores, runtime.idle_seconds)

    def invoke(
        self, name_or_arn: str, payload: bytes, qualifier: str = "", client_context: Any = None, request_id: str = ""
    ) -> InvocationResult:
        """Invoke a function and wait for its answer; raise ServiceError if it cannot be invoked."""
        function = self.catalog.find(name_or_arn, qualifier)
        request_id = request_id or str(uuid.uuid4())
        request = {"id": request_id, "arn": function.invoked_arn, "client": client_context}
        warm, is_new = self.pool.acquire(function)
        start = time.monotonic()
        try:
            result = _invoke_handler(warm, request, payload)
            seconds = time.monotonic() - start
        finally:
            self.pool.release(warm)
        return self._finish(
            Invocation(request_id, function, seconds, warm.init_seconds if is_new else None), result, warm.stream
        )

    def _finish(self, invocation: Invocation, result: HandlerResult, stream: str) -> InvocationResult:
        body, error = invocation_log.response(invocation, result)
        lines = invocation_log.log_lines(invocation, result)
        self._logs.write(invocation.function.log_group, stream, *lines)
        return InvocationResult(invocation.id, body, error, invocation.function.version, lines)

    def _start_environment(
        self, function: Function, is_provisioned: bool, on_process_start: OnProcessStart
    ) -> WarmEnvironment:
        if not function.runtime.startswith("python"):
            runtime = f"{function.runtime or 'of an image'} is not supported by the local AWS; it runs python functions"
            raise ServiceError("InvalidRuntimeException", f"The runtime {runtime}")
        reload_folder = hot_reload.find_folder(function.code)
        folder = reload_folder or self._code.unpacked(function.digest, function.code)
        layers = [self._code.unpacked(layer.digest, layer.content) for layer in function.layers]
        stream = f"{self._clock.now():%Y/%m/%d}/[{function.version}]{secrets.token_hex(16)}"
        start = time.monotonic()
        containers = self._runtime.containers
        root, places = (TASK_ROOT, layer_paths(len(layers))) if containers else (str(folder), list(map(str, layers)))
        variables = self._variables(function, root, stream, is_provisioned=is_provisioned)
        variables = {**variables, **_layer_variables(variables, places)}
        # Bytecode would hide a change in the same second, because Python compares modification times in seconds.
        keeps_bytecode = reload_folder is None
        launch = LaunchConfig(self._runtime.python, folder, variables, keeps_bytecode, layers, containers)
        environment = ExecutionEnvironment(launch)
        on_process_start(environment)
        init_result = environment.wait_until_loaded(_INIT_TIMEOUT_SECONDS + function.timeout_seconds)
        return WarmEnvironment(environment, function, stream, init_result, time.monotonic() - start)

    def _variables(self, function: Function, folder: str, stream: str, *, is_provisioned: bool) -> Mapping[str, str]:
        """Return the variables of AWS's runtime, the function's own ones, and its role's credentials."""
        own = {name: value for name, value in function.variables.items() if not name.startswith(_RESERVED_PREFIXES)}
        region = function.arn.split(":")[3]
        return {
            **self._runtime.environment,
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
            **self._credentials(function),
        }

    def _credentials(self, function: Function) -> Mapping[str, str]:
        try:
            return self._clients.assume_role(function.service_role)
        except ServiceError:
            raise ServiceError("AccessDeniedException", _ROLE_ERROR, 403) from None


def _layer_variables(variables: Mapping[str, str], layers: Sequence[str]) -> Mapping[str, str]:
    """Return the variables for layers; of files with the same name, the last layer's is found, as in /opt."""
    if not layers:
        return {}
    folders = list(reversed(layers))
    binaries = [f"{folder}/bin" for folder in folders]
    return {
        "LAMBDA_LAYERS": os.pathsep.join(folders),
        "PATH": os.pathsep.join([*binaries, variables.get("PATH", os.defpath)]),
    }


def _invoke_handler(warm: WarmEnvironment, request: Mapping[str, Any], payload: bytes) -> HandlerResult:
    """Return the handler's result, and close an environment that cannot be invoked again."""
    try:
        result = warm.init_result
        if not result.is_error:
            result = warm.environment.invoke(request, payload, warm.function.timeout_seconds)
    except BaseException:
        warm.environment.close()
        raise
    if warm.init_result.is_error or result.has_ended_process:
        warm.environment.close()
    return result
