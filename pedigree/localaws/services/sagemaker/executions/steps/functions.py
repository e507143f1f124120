"""Lambda steps: invoke a function; what it returns is the step's outputs.

An invocation runs in a thread of its own. One that was running when the daemon was killed is made again, since the
service promises at least one call, not exactly one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from pedigree.language.expressions import as_text
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.sagemaker.executions.steps.runner import STEP_FAULT, Attempt, StepResult
from pedigree.localaws.services.sagemaker.executions.steps.services import FunctionAnswer, StepServices

_LONGEST_SECONDS = 600.0
_LONGEST_ERROR = 900
_LONGEST_VALUE = 80


class FunctionRunner:
    """Runs a step that invokes a function and waits for it, ten minutes at most."""

    def __init__(self, services: StepServices) -> None:
        self._services = services
        self._invocations: dict[str, tuple[Future[FunctionAnswer], float]] = {}

    def start(self, attempt: Attempt) -> Mapping[str, Any]:
        arn = attempt.target
        future = self._services.invoke(attempt, arn, json.dumps(attempt.arguments))
        future.add_done_callback(lambda _: attempt.world.signal.wake())
        self._invocations[attempt.name] = (future, attempt.world.clock.monotonic())
        return {"Lambda": {"Arn": arn}}

    def poll(self, attempt: Attempt) -> StepResult | None:
        if attempt.name not in self._invocations:
            self.start(attempt)
        future, since = self._invocations[attempt.name]
        if future.done():
            del self._invocations[attempt.name]
            return _result(attempt, future)
        timeout = min(_LONGEST_SECONDS, attempt.number_of("TimeoutInSeconds", _LONGEST_SECONDS))
        if attempt.world.clock.monotonic() - since < timeout:
            return None
        del self._invocations[attempt.name]
        reason = f"Lambda function did not answer in {timeout:.0f} seconds"
        return StepResult("Failed", reason=reason, fault=STEP_FAULT)

    def stop(self, attempt: Attempt) -> None:
        """Do nothing: a function cannot be stopped, so the execution waits for it."""


def _result(attempt: Attempt, future: Future[FunctionAnswer]) -> StepResult:
    try:
        answer = future.result()
    except ServiceError as error:
        return _failure(error.message)
    if answer.error:
        return _failure(f"Lambda function failed: {answer.payload[:_LONGEST_ERROR]}")
    return _outputs(attempt, answer.payload)


def _outputs(attempt: Attempt, payload: str) -> StepResult:
    """The declared outputs in what a function returned; the service accepts flat values only."""
    if not attempt.step.outputs:
        return StepResult("Succeeded", {"OutputParameters": {}})
    returned = json.loads(payload) if payload else None
    if not isinstance(returned, Mapping):
        return _refused("Lambda function returned no object, and the step declares outputs")
    returned_outputs = {name: returned.get(name) for name in attempt.step.outputs}
    unfit = next(
        (name for name, value in returned_outputs.items() if value is None or isinstance(value, (Mapping, list))), None
    )
    if unfit is not None:
        value = json.dumps(returned_outputs[unfit])[:_LONGEST_VALUE]
        return _refused(f"output {unfit} is {value}; it must be text, a number or a boolean")
    outputs = [{"Name": name, "Value": _written(value)} for name, value in returned_outputs.items()]
    return StepResult("Succeeded", {"OutputParameters": returned_outputs}, metadata={"OutputParameters": outputs})


def _written(value: Any) -> str:
    """An output as the step's Metadata has it: the service reads every number as a double."""
    return str(float(value)) if isinstance(value, int) and not isinstance(value, bool) else as_text(value)


def _failure(reason: str) -> StepResult:
    """A failure that a retry policy may let pass."""
    return StepResult("Failed", reason=f"ClientError: {reason}", fault=STEP_FAULT)


def _refused(reason: str) -> StepResult:
    return StepResult("Failed", reason=f"ClientError: {reason}")
