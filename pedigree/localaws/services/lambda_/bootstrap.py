"""What runs in a function's process: it loads the handler once, and then calls it for one event after the other.

It is started as a file of its own, in the function's Python, and knows nothing but the standard library. Events and
answers go through two pipes, each as a line of JSON and as many bytes as that line says. What the function prints goes
to standard output, which the local AWS reads. A third pipe ends when the local AWS does; then so does this process,
with all that it started, even in the middle of a call.
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
    """What a handler is told of its call."""

    def __init__(self, call: dict[str, Any]) -> None:
        environment = os.environ
        self.aws_request_id = call["id"]
        self.invoked_function_arn = call["arn"]
        self.function_name = environment["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = environment["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = environment["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = environment["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.client_context = _client_context(call.get("client"))
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self._deadline = float(call["deadline"])

    def get_remaining_time_in_millis(self) -> int:
        """How long until the call is ended."""
        return max(0, int((self._deadline - time.time()) * 1000))


def _client_context(told: dict[str, Any] | None) -> SimpleNamespace | None:
    if not told:
        return None
    client = SimpleNamespace(**told.get("client", {}))
    return SimpleNamespace(custom=told.get("custom"), env=told.get("env"), client=client)


class _RefusedError(Exception):
    """A handler that cannot be called, with the kind of error that AWS names."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def _loaded(name: str) -> Any:
    """The handler of a name like folder/module.function."""
    module_name, dot, function = name.rpartition(".")
    if not dot:
        raise _RefusedError("Runtime.MalformedHandlerName", f"Bad handler '{name}': write it like module.function")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise _RefusedError("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        raise _RefusedError(
            "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}"
        ) from error
    if not hasattr(module, function):
        raise _RefusedError("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module_name}'")
    return getattr(module, function)


def _failure(error: BaseException, request_id: str, frames_of_ours: int) -> dict[str, Any]:
    """An error as AWS answers it, told on standard output, too."""
    kind = error.kind if isinstance(error, _RefusedError) else type(error).__name__
    frames = [] if isinstance(error, _RefusedError) else traceback.extract_tb(error.__traceback__)[frames_of_ours:]
    trace = traceback.format_list(frames)
    sys.stdout.write(f"[ERROR] {kind}: {error}\nTraceback (most recent call last):\n{''.join(trace)}")
    return {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": trace}


def _call(handler: Any, call: dict[str, Any], body: bytes) -> tuple[bool, bytes]:
    """Whether the handler failed, and what it returned or how it failed."""
    try:
        returned = handler(json.loads(body or b"{}"), Context(call))
    except Exception as error:  # noqa: BLE001  # whatever the function raises is its answer
        return True, json.dumps(_failure(error, call["id"], 1)).encode()
    try:
        return False, json.dumps(returned).encode()
    except (TypeError, ValueError) as error:
        refused = _RefusedError("Runtime.MarshalError", f"Unable to marshal response: {error}")
        return True, json.dumps(_failure(refused, call["id"], 0)).encode()


def _tell(answers: Any, body: bytes, *, is_error: bool) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    head = {"error": is_error, "size": len(body), "memory": _memory()}
    answers.write(json.dumps(head).encode() + b"\n" + body)
    answers.flush()


def _memory() -> int:
    """The most memory that this process had, in MB. What Linux counts for it begins with what its parent had."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123  # quicker, and it is called often
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) >> 10
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB_OR_BYTES // (1 << 20)


def _end_with(life: int) -> None:
    os.read(life, 1)
    os.killpg(0, signal.SIGKILL)


class _WithRequest(logging.Filter):
    """Gives every record the id of the call in which it is made."""

    request_id = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.request_id
        return True


def _logging() -> _WithRequest:
    handler = logging.StreamHandler(sys.stdout)
    formatter = logging.Formatter(_LOG_FORMAT, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(requests := _WithRequest())
    logging.getLogger().addHandler(handler)
    return requests


def _of_layers() -> list[str]:
    """Where the layers of a function have modules."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    inside = (f"python/lib/{version}/site-packages", "python")
    layers = [one for one in os.environ.get("LAMBDA_LAYERS", "").split(os.pathsep) if one]
    places = [os.path.join(layer, one) for layer in layers for one in inside]  # noqa: PTH118  # what sys.path has is text
    return [place for place in places if os.path.isdir(place)]  # noqa: PTH112


def main(events_end: int, answers_end: int, life_end: int) -> None:
    """Load the handler, say so, and answer events until there are no more."""
    for end in (events_end, answers_end, life_end):
        os.set_inheritable(end, False)
    threading.Thread(target=_end_with, args=(life_end,), daemon=True).start()
    events, answers, requests = os.fdopen(events_end, "rb"), os.fdopen(answers_end, "wb"), _logging()
    sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], *_of_layers()]
    try:
        handler = _loaded(os.environ["_HANDLER"])
    except Exception as error:  # noqa: BLE001  # whatever a module raises is why it cannot be loaded
        _tell(answers, json.dumps(_failure(error, "", 2)).encode(), is_error=True)
        sys.exit(1)
    _tell(answers, b"", is_error=False)
    while line := events.readline():
        call = json.loads(line)
        requests.request_id = call["id"]
        is_error, body = _call(handler, call, events.read(call["size"]))
        _tell(answers, body, is_error=is_error)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
