"""What an invocation leaves behind: its lines in the function's log, and the error that its caller gets."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from pedigree.localaws.services.lambda_.execution_environment import HandlerResult
from pedigree.localaws.services.lambda_.function_catalog import Function

MAX_RESPONSE_BYTES = 6_291_556
_TAIL_BYTES = 4096
UNHANDLED = "Unhandled"


@dataclass(frozen=True)
class Invocation:
    """One invocation of a function, with its duration in seconds."""

    id: str
    function: Function
    seconds: float
    init_seconds: float | None = None


def runtime_error(invocation: Invocation, result: HandlerResult) -> Mapping[str, object] | None:
    """Return the runtime's error, or None if the handler itself has answered."""
    if result.is_timeout:
        timeout = invocation.function.timeout_seconds
        message = f"RequestId: {invocation.id} Error: Task timed out after {timeout:.2f} seconds"
        return {"errorType": "Sandbox.Timedout", "errorMessage": message}
    if result.exit:
        message = f"RequestId: {invocation.id} Error: Runtime exited with error: {result.exit}"
        return {"errorType": "Runtime.ExitError", "errorMessage": message}
    if len(result.body) > MAX_RESPONSE_BYTES:
        message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
        return {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
    return None


def response(invocation: Invocation, result: HandlerResult) -> tuple[bytes, str]:
    """Return the body that the caller gets, and the type of function error or an empty text."""
    error = runtime_error(invocation, result)
    if error is not None:
        return json.dumps(error).encode(), UNHANDLED
    return result.body, UNHANDLED if result.is_error else ""


def log_lines(invocation: Invocation, result: HandlerResult) -> list[str]:
    """Return the log of an invocation: START, the function's output, END and REPORT."""
    error = runtime_error(invocation, result)
    return [
        f"START RequestId: {invocation.id} Version: {invocation.function.version}",
        *result.output.splitlines(),
        *([str(error["errorMessage"])] if error else []),
        f"END RequestId: {invocation.id}",
        _report(invocation, result),
    ]


def log_tail(lines: list[str]) -> bytes:
    """Return the last lines of an invocation, for callers that request LogType Tail."""
    return "".join(f"{line}\n" for line in lines).encode()[-_TAIL_BYTES:]


def _report(invocation: Invocation, result: HandlerResult) -> str:
    duration = invocation.seconds * 1000
    billed = math.ceil(duration + (invocation.init_seconds or 0.0) * 1000)
    parts = [
        f"REPORT RequestId: {invocation.id}",
        f"Duration: {duration:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {invocation.function.memory} MB",
        f"Max Memory Used: {result.memory} MB",
    ]
    if invocation.init_seconds is not None:
        parts.append(f"Init Duration: {invocation.init_seconds * 1000:.2f} ms")
    if result.is_timeout:
        parts.append("Status: timeout")
    elif result.exit:
        parts.append("Status: error\tError Type: Runtime.ExitError")
    return "\t".join(parts) + "\t"
