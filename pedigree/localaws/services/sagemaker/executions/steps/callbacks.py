"""Callback steps: send a message with a token to a queue, and wait until the token is answered."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping
from typing import Any

from pedigree.localaws.services.sagemaker.executions.core import state
from pedigree.localaws.services.sagemaker.executions.steps.runner import Attempt, StepResult
from pedigree.localaws.services.sagemaker.executions.steps.services import StepServices

_ALPHABET = string.ascii_letters + string.digits
_TOKEN_LENGTH = 10


class CallbackRunner:
    """Runs a step that waits for an answer from outside."""

    def __init__(self, services: StepServices) -> None:
        self._services = services

    def start(self, attempt: Attempt) -> Mapping[str, Any]:
        """Send the message. After a restart it may be sent again, with the same token."""
        token, queue = self._token(attempt), attempt.target
        self._send(attempt, token, "Executing")
        return {"Callback": {"CallbackToken": token, "SqsQueueUrl": queue}}

    def poll(self, attempt: Attempt) -> StepResult | None:
        callback = attempt.world.store.find(state.CALLBACK, self._token(attempt)) or {}
        answer = callback.get("answer")
        if answer is None:
            return None
        if "failure" in answer:
            return StepResult("Failed", reason=answer["failure"])
        missing = sorted(set(attempt.step.outputs) - set(answer["outputs"]))
        if missing:
            reason = f"The answer has no output {', '.join(missing)}, which the step declares"
            return StepResult("Failed", reason=reason)
        outputs = [{"Name": name, "Value": value} for name, value in answer["outputs"].items()]
        return StepResult("Succeeded", {"OutputParameters": answer["outputs"]}, metadata={"OutputParameters": outputs})

    def stop(self, attempt: Attempt) -> None:
        """Say in the queue that the step is to stop; it still waits for the answer."""
        self._send(attempt, self._token(attempt), "Stopping")

    def _send(self, attempt: Attempt, token: str, status: str) -> None:
        message = {
            "token": token,
            "pipelineExecutionArn": attempt.execution["PipelineExecutionArn"],
            "arguments": attempt.arguments,
            "status": status,
        }
        self._services.send(attempt, attempt.target, json.dumps(message))

    def _token(self, attempt: Attempt) -> str:
        """The token of this attempt, made once and stored before the message is sent."""
        store = attempt.world.store
        with store.transaction():
            stored = store.find(state.CALLBACK, attempt.name)
            if stored is None:
                stored = {"token": "".join(secrets.choice(_ALPHABET) for _ in range(_TOKEN_LENGTH))}
                store.put(state.CALLBACK, attempt.name, stored)
                arn = attempt.execution["PipelineExecutionArn"]
                store.put(state.CALLBACK, stored["token"], {"PipelineExecutionArn": arn})
        return str(stored["token"])
