"""Lambda steps: a function is invoked, and what it returns is the step's outputs.

Nobody else waits for it, so an invocation is taken up in a thread of its own. One that was under way when the daemon
was killed is made again: the service promises its functions no more than at least one call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

from pedigree.language.expressions import as_text
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.sagemaker.executions.steps.runner import STEP_FAULT, Ended, Run


@dataclass(frozen=True)
class Invoked:
    """What a function answered: its payload, and the kind of error if it raised one."""

    payload: str
    error: str = ""


Invoke: TypeAlias = Callable[[Run, str, str], Invoked]
"""Call the function of an ARN with a payload, in the name of the execution's role."""
LONGEST_SECONDS = 600.0
_USUAL_SECONDS = 120.0
_AT_ONCE = 64


class FunctionRunner:
    """A step that calls a function and waits for it, ten minutes at most."""

    def __init__(self, invoke: Invoke, pool: Executor | None = None) -> None:
        self._invoke = invoke
        self._pool = pool or ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="function-step")
        self._calls: dict[str, tuple[Future[Invoked], float]] = {}

    def start(self, run: Run) -> Mapping[str, Any]:
        """Call the function."""
        arn = run.step.document["FunctionArn"]
        future = self._pool.submit(self._invoke, run, arn, json.dumps(run.arguments))
        future.add_done_callback(lambda _: run.world.signal.wake())
        self._calls[run.name] = (future, run.world.clock.monotonic())
        return {"Lambda": {"Arn": arn}}

    def look(self, run: Run) -> Ended | None:
        """What it answered; that it took too long; or nothing yet."""
        if run.name not in self._calls:
            self.start(run)
        future, since = self._calls[run.name]
        if not future.done():
            patience = min(LONGEST_SECONDS, float(run.step.document.get("TimeoutInSeconds", LONGEST_SECONDS)))
            if run.world.clock.monotonic() - since < patience:
                return None
            del self._calls[run.name]
            return Ended("Failed", reason=f"Lambda function did not answer in {patience:.0f} seconds", fault=STEP_FAULT)
        del self._calls[run.name]
        return _ended(run, future)

    def stop(self, run: Run) -> None:
        """A function cannot be stopped: the execution waits for it."""


def _ended(run: Run, future: Future[Invoked]) -> Ended:
    try:
        answer = future.result()
    except ServiceError as error:
        return Ended("Failed", reason=f"ClientError: {error.message}", fault=STEP_FAULT)
    if answer.error:
        return Ended("Failed", reason=f"ClientError: Lambda function failed: {answer.payload[:900]}", fault=STEP_FAULT)
    return _outputs(run, answer.payload)


def _outputs(run: Run, payload: str) -> Ended:
    """The declared outputs in what a function returned; flat values only, as the service has it."""
    returned = json.loads(payload) if payload else None
    if not run.step.outputs:
        return Ended("Succeeded", {"OutputParameters": {}})
    if not isinstance(returned, Mapping):
        return Ended("Failed", reason="ClientError: Lambda function returned no object, and the step declares outputs")
    found = {name: returned.get(name) for name in run.step.outputs}
    unfit = next((name for name, value in found.items() if value is None or isinstance(value, (Mapping, list))), None)
    if unfit is not None:
        told = json.dumps(found[unfit])[:80]
        return Ended("Failed", reason=f"ClientError: output {unfit} is {told}; it must be text, a number or a boolean")
    outputs = [{"Name": name, "Value": as_text(value)} for name, value in found.items()]
    return Ended("Succeeded", {"OutputParameters": found}, metadata={"OutputParameters": outputs})
