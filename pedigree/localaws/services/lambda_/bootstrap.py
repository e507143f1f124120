"""Runs in a function's process: loads the handler once, and then calls it for one event after the other.

This file is started on its own, in the function's Python, and uses only the standard library. Events and answers go
through two pipes, each as a line of JSON and as many bytes as the line says. The function's output goes to standard
output, which the local AWS reads. A third pipe closes when the local AWS ends; then this process kills itself and its
children, even during an invocation.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import resource
import signal
import sys
import threading
import time
import traceback
from types import SimpleNamespace
from typing import Any

_LOG_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
_KIB_OR_BYTES = 1 if sys.platform == "darwin" else 1024


class Context:
    """The context object of a handler."""

    def __init__(self, request: dict[str, Any]) -> None:
        environment = os.environ
        self.aws_request_id = request["id"]
        self.invoked_function_arn = request["arn"]
        self.function_name = environment["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = environment["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = environment["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = environment["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.client_context = _client_context(request.get("client"))
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self._deadline = float(request["deadline"])

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until the timeout."""
        return max(0, int((self._deadline - time.time()) * 1000))


def _client_context(context: dict[str, Any] | None) -> SimpleNamespace | None:
    if not context:
        return None
    client = SimpleNamespace(**context.get("client", {}))
    return SimpleNamespace(custom=context.get("custom"), env=context.get("env"), client=client)


class _LambdaRuntimeError(Exception):
    """An error of Lambda's runtime, with its errorType."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


def _load_handler(name: str) -> Any:
    """Return the handler with a name such as folder/module.function."""
    module_name, dot, function = name.rpartition(".")
    if not dot:
        raise _LambdaRuntimeError(
            "Runtime.MalformedHandlerName", f"Bad handler '{name}': write it like module.function"
        )
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise _LambdaRuntimeError(
            "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}"
        ) from error
    except SyntaxError as error:
        raise _LambdaRuntimeError(
            "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}"
        ) from error
    if not hasattr(module, function):
        raise _LambdaRuntimeError("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module_name}'")
    return getattr(module, function)


def _error_response(error: BaseException, request_id: str, own_frames: int) -> dict[str, Any]:
    """Print an error as AWS does, and return its response without the frames of this file."""
    error_type = error.error_type if isinstance(error, _LambdaRuntimeError) else type(error).__name__
    frames = [] if isinstance(error, _LambdaRuntimeError) else traceback.extract_tb(error.__traceback__)[own_frames:]
    trace = traceback.format_list(frames)
    sys.stdout.write(f"[ERROR] {error_type}: {error}\nTraceback (most recent call last):\n{''.join(trace)}")
    return {"errorMessage": str(error), "errorType": error_type, "requestId": request_id, "stackTrace": trace}


def _invoke(handler: Any, request: dict[str, Any], body: bytes) -> tuple[bool, bytes]:
    """Return whether the handler failed, and its response."""
    try:
        returned = handler(json.loads(body or b"{}"), Context(request))
    except Exception as error:  # noqa: BLE001  # what a function raises is its response
        return True, json.dumps(_error_response(error, request["id"], 1)).encode()
    try:
        return False, json.dumps(returned).encode()
    except (TypeError, ValueError) as error:
        failure = _LambdaRuntimeError("Runtime.MarshalError", f"Unable to marshal response: {error}")
        return True, json.dumps(_error_response(failure, request["id"], 0)).encode()


def _answer(answers: Any, body: bytes, *, is_error: bool) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    head = {"error": is_error, "size": len(body), "memory": _memory()}
    answers.write(json.dumps(head).encode() + b"\n" + body)
    answers.flush()


def _memory() -> int:
    """Return this process's peak memory in MB. ru_maxrss alone would start with the parent's on Linux."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123  # faster, and called often
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) >> 10
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB_OR_BYTES // (1 << 20)


def _die_with_parent(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)


class _RequestIdFilter(logging.Filter):
    """Adds the id of the current invocation to every log record."""

    request_id = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.request_id
        return True


def _set_up_logging() -> _RequestIdFilter:
    handler = logging.StreamHandler(sys.stdout)
    formatter = logging.Formatter(_LOG_FORMAT, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(requests := _RequestIdFilter())
    logging.getLogger().addHandler(handler)
    return requests


def _layer_folders() -> list[str]:
    """Return the folders of the layers that may have modules."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    inside = (f"python/lib/{version}/site-packages", "python")
    layers = [layer for layer in os.environ.get("LAMBDA_LAYERS", "").split(os.pathsep) if layer]
    folders = [os.path.join(layer, folder) for layer in layers for folder in inside]  # noqa: PTH118  # sys.path has text
    return [folder for folder in folders if os.path.isdir(folder)]  # noqa: PTH112


def main(events_end: int, answers_end: int, lifeline: int) -> None:
    """Load the handler, and answer events until their pipe closes."""
    for end in (events_end, answers_end, lifeline):
        os.set_inheritable(end, False)
    threading.Thread(target=_die_with_parent, args=(lifeline,), daemon=True).start()
    events, answers, requests = os.fdopen(events_end, "rb"), os.fdopen(answers_end, "wb"), _set_up_logging()
    sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], *_layer_folders()]
    try:
        handler = _load_handler(os.environ["_HANDLER"])
    except Exception as error:  # noqa: BLE001  # a module can raise anything
        _answer(answers, json.dumps(_error_response(error, "", 2)).encode(), is_error=True)
        sys.exit(1)
    _answer(answers, b"", is_error=False)
    while line := events.readline():
        request = json.loads(line)
        requests.request_id = request["id"]
        is_error, body = _invoke(handler, request, events.read(request["size"]))
        _answer(answers, body, is_error=is_error)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
