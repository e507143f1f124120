"""What is said of a call: the lines in the function's log, and the error that a caller gets."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from pedigree.localaws.services.lambda_.execution_environment import HandlerResult
from pedigree.localaws.services.lambda_.function_catalog import Function

MOST_ANSWERED = 6_291_556
_TAIL = 4096
UNHANDLED = "Unhandled"


@dataclass(frozen=True)
class Invocation:
    """One call of a function, and how long it took, in seconds."""

    id: str
    function: Function
    seconds: float
    init_seconds: float | None = None


def error(call: Invocation, answer: HandlerResult) -> Mapping[str, object] | None:
    """The error of a call that did not end with a body of the function's own."""
    if answer.is_late:
        words = f"RequestId: {call.id} Error: Task timed out after {call.function.seconds:.2f} seconds"
        return {"errorType": "Sandbox.Timedout", "errorMessage": words}
    if answer.exit:
        words = f"RequestId: {call.id} Error: Runtime exited with error: {answer.exit}"
        return {"errorType": "Runtime.ExitError", "errorMessage": words}
    if len(answer.body) > MOST_ANSWERED:
        words = f"Response payload size exceeded maximum allowed payload size ({MOST_ANSWERED} bytes)."
        return {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": words}
    return None


def body(call: Invocation, answer: HandlerResult) -> tuple[bytes, str]:
    """What the caller gets, and the kind of error, if it is one."""
    own = error(call, answer)
    if own is not None:
        return json.dumps(own).encode(), UNHANDLED
    return answer.body, UNHANDLED if answer.is_error else ""


def lines(call: Invocation, answer: HandlerResult) -> list[str]:
    """What the log has of a call: START, what was printed, END and REPORT."""
    own = error(call, answer)
    told = [str(own["errorMessage"])] if own else []
    start = f"START RequestId: {call.id} Version: {call.function.version}"
    return [start, *answer.output.splitlines(), *told, f"END RequestId: {call.id}", _report(call, answer)]


def tail(written: list[str]) -> bytes:
    """The last of a call's lines, as a caller can ask for them."""
    return "".join(f"{line}\n" for line in written).encode()[-_TAIL:]


def _report(call: Invocation, answer: HandlerResult) -> str:
    spent = call.seconds * 1000
    billed = math.ceil(spent + (call.init_seconds or 0.0) * 1000)
    parts = [
        f"REPORT RequestId: {call.id}",
        f"Duration: {spent:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {call.function.memory} MB",
        f"Max Memory Used: {answer.memory} MB",
    ]
    if call.init_seconds is not None:
        parts.append(f"Init Duration: {call.init_seconds * 1000:.2f} ms")
    if answer.is_late:
        parts.append("Status: timeout")
    elif answer.exit:
        parts.append("Status: error\tError Type: Runtime.ExitError")
    return "\t".join(parts) + "\t"
