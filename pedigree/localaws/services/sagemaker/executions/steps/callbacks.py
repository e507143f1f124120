"""Callback steps: a message in a queue, and then patience, until somebody who holds its token answers."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from pedigree.localaws.services.sagemaker.executions import state
from pedigree.localaws.services.sagemaker.executions.steps.runner import Ended, Run

Send: TypeAlias = Callable[[Run, str, str], None]
"""Put a text into the queue of an address, in the name of the execution's role."""
_ALPHABET = string.ascii_letters + string.digits
_TOKEN_LENGTH = 10


class CallbackRunner:
    """A step that waits for an answer from outside."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def start(self, run: Run) -> Mapping[str, Any]:
        """Leave the message. Begun again after a restart, it may lie there twice, with the same token."""
        token, queue = self._token(run), run.step.document["SqsQueueUrl"]
        self._tell(run, token, "Executing")
        return {"Callback": {"CallbackToken": token, "SqsQueueUrl": queue}}

    def look(self, run: Run) -> Ended | None:
        """What was answered, if it was."""
        token = self._token(run)
        answer = (run.world.store.find(state.CALLBACK, token) or {}).get("answer")
        if answer is None:
            return None
        if "failure" in answer:
            return Ended("Failed", reason=answer["failure"])
        missing = sorted(set(run.step.outputs) - set(answer["outputs"]))
        if missing:
            return Ended("Failed", reason=f"The answer has no output {', '.join(missing)}, which the step declares")
        outputs = [{"Name": name, "Value": value} for name, value in answer["outputs"].items()]
        return Ended("Succeeded", {"OutputParameters": answer["outputs"]}, metadata={"OutputParameters": outputs})

    def stop(self, run: Run) -> None:
        """Ask whoever works on it to answer; the step waits until somebody does."""
        self._tell(run, self._token(run), "Stopping")

    def _tell(self, run: Run, token: str, status: str) -> None:
        message = {
            "token": token,
            "pipelineExecutionArn": run.execution["PipelineExecutionArn"],
            "arguments": run.arguments,
            "status": status,
        }
        self._send(run, run.step.document["SqsQueueUrl"], json.dumps(message))

    def _token(self, run: Run) -> str:
        """This attempt's token; made once, and kept before the message goes out."""
        store = run.world.store
        with store.transaction():
            known = store.find(state.CALLBACK, run.name)
            if known is None:
                known = {"token": "".join(secrets.choice(_ALPHABET) for _ in range(_TOKEN_LENGTH))}
                store.put(state.CALLBACK, run.name, known)
                arn = run.execution["PipelineExecutionArn"]
                store.put(state.CALLBACK, known["token"], {"PipelineExecutionArn": arn})
        return str(known["token"])
