"""A fake of Lambda with the predict function."""

from __future__ import annotations

import io
import json
from typing import Any

from tests.support.fakes.clients import FakeService


class FakePredict(FakeService):
    """Records the payloads that it receives, and returns the answer that a test sets."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {}

    def invoke(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["FunctionName"] != "sagemaker-dog-breeds-predict" or request["Qualifier"] != "live":
            self.refuse("ResourceNotFoundException", f"Function not found: {request['FunctionName']}")
        self.sent.append(json.loads(request["Payload"]))
        return {**self.answer, "Payload": io.BytesIO(self.answer["Payload"])}


def function_answer(status: int, **more: Any) -> dict[str, Any]:
    """Lambda's answer when the function itself has answered."""
    return {"StatusCode": 200, "Payload": json.dumps({"statusCode": status, **more}).encode()}
