"""The predict function, as Lambda answers for it."""

from __future__ import annotations

import io
import json
from typing import Any

from tests.support.fakes.clients import FakeService


class FakePredict(FakeService):
    """What it is sent, and what it is told to answer."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {}

    def invoke(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["FunctionName"] != "sagemaker-dog-breeds-predict" or asked["Qualifier"] != "live":
            self.refuse("ResourceNotFoundException", f"Function not found: {asked['FunctionName']}")
        self.sent.append(json.loads(asked["Payload"]))
        return {**self.answer, "Payload": io.BytesIO(self.answer["Payload"])}


def function_answer(status: int, **more: Any) -> dict[str, Any]:
    """An answer of the function itself."""
    return {"StatusCode": 200, "Payload": json.dumps({"statusCode": status, **more}).encode()}
