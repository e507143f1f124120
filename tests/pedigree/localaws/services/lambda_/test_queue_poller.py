"""QueuePoller: no failure ends it, and every message that it has received reaches the function."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest

from pedigree.localaws.kernel.clients import Clients
from pedigree.localaws.moto.queue_waiter import QueueWaiter
from pedigree.localaws.services.lambda_.invoker import InvocationResult, Invoker
from pedigree.localaws.services.lambda_.queue_poller import EventSourceMapping, QueuePoller

QUEUE = "arn:aws:sqs:us-east-1:123456789012:work"
TIMEOUT_SECONDS = 60


class FakeQueue:
    """Stands for a queue and its client; each receive returns what the test says."""

    def __init__(self, *receives: Callable[[], list[dict[str, Any]]]) -> None:
        self.receives = list(receives)
        self.deleted: list[str] = []

    def wait(self, _name: str, _seconds: float, _is_over: Callable[[], bool]) -> bool:
        return bool(self.receives)

    def url(self) -> str:
        return "http://127.0.0.1"

    def __call__(self, _service: str, _role: object) -> FakeQueue:
        return self

    def receive_message(self, **_request: Any) -> dict[str, Any]:
        return {"Messages": self.receives.pop(0)()}

    def delete_message_batch(self, Entries: list[dict[str, str]], **_request: Any) -> None:  # noqa: N803  # boto3's
        self.deleted += [entry["ReceiptHandle"] for entry in Entries]


class FakeFunction:
    """Stands for a function, its catalog and its invoker; records the bodies that it gets."""

    service_role = None

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self.bodies: list[str] = []
        self.has_all = threading.Event()

    @property
    def catalog(self) -> FakeFunction:
        return self

    def find(self, _name: str) -> FakeFunction:
        return self

    def invoke(self, _name: str, payload: bytes) -> InvocationResult:
        self.bodies += [record["body"] for record in json.loads(payload)["Records"]]
        if len(self.bodies) >= self._expected:
            self.has_all.set()
        return InvocationResult("id", b"null", "", "$LATEST", [])


def messages(*bodies: str) -> list[dict[str, Any]]:
    return [{"MessageId": body, "ReceiptHandle": body, "Body": body, "MD5OfBody": ""} for body in bodies]


def poll(queue: FakeQueue, function: FakeFunction, batch_size: int = 10, **settings: Any) -> QueuePoller:
    mapping = EventSourceMapping("id", "function", QUEUE, batch_size=batch_size, **settings)
    return QueuePoller(mapping, cast(QueueWaiter, queue), cast(Clients, queue), cast(Invoker, function))


def failing() -> list[dict[str, Any]]:
    raise ArithmeticError("a bug")


def test_a_bug_does_not_end_the_mapping() -> None:
    queue, function = FakeQueue(failing, lambda: messages("a")), FakeFunction(1)
    poller = poll(queue, function)
    assert function.has_all.wait(TIMEOUT_SECONDS)
    poller.stop()


def test_messages_that_were_received_before_a_failure_reach_the_function() -> None:
    many = [str(number) for number in range(10)]
    queue, function = FakeQueue(lambda: messages(*many), failing), FakeFunction(10)
    poller = poll(queue, function, batch_size=20)
    assert function.has_all.wait(TIMEOUT_SECONDS)
    poller.stop()
    assert function.bodies == many


@pytest.mark.parametrize("window", [0.0, 60.0])
def test_messages_that_were_received_before_the_stop_reach_the_function(window: float) -> None:
    pollers: list[QueuePoller] = []
    has_poller = threading.Event()

    def stop_meanwhile() -> list[dict[str, Any]]:
        assert has_poller.wait(TIMEOUT_SECONDS)
        pollers[0].stop()
        return messages("a")

    queue, function = FakeQueue(stop_meanwhile), FakeFunction(1)
    pollers.append(poll(queue, function, window_seconds=window))
    has_poller.set()
    assert function.has_all.wait(TIMEOUT_SECONDS)
