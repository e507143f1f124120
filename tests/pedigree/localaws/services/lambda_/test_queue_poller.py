"""Whoever looks into a queue for a function goes on whatever happens, and hands over what was received."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest

from pedigree.localaws.kernel.clients import Clients
from pedigree.localaws.moto.queues import Queues
from pedigree.localaws.services.lambda_.invoker import InvocationResult, Invoker
from pedigree.localaws.services.lambda_.queue_poller import EventSourceMapping, QueuePoller

QUEUE = "arn:aws:sqs:us-east-1:123456789012:work"
PATIENCE_SECONDS = 20


class Queue:
    """A queue, and a client of it, in which there is always something; what is received is what a test says."""

    def __init__(self, *received: Callable[[], list[dict[str, Any]]]) -> None:
        self.received = list(received)
        self.deleted: list[str] = []

    def wait(self, _name: str, _seconds: float, _is_over: Callable[[], bool]) -> bool:
        return bool(self.received)

    def url(self) -> str:
        return "http://127.0.0.1"

    def __call__(self, _service: str, _taking: object) -> Queue:
        return self

    def receive_message(self, **_asked: Any) -> dict[str, Any]:
        return {"Messages": self.received.pop(0)()}

    def delete_message_batch(self, Entries: list[dict[str, str]], **_asked: Any) -> None:  # noqa: N803  # boto3's
        self.deleted += [one["ReceiptHandle"] for one in Entries]


class Function:
    """A function that notes the messages that it gets."""

    taking = None

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self.bodies: list[str] = []
        self.has_all = threading.Event()

    @property
    def book(self) -> Function:
        return self

    def find(self, _name: str) -> Function:
        return self

    def invoke(self, _name: str, payload: bytes) -> InvocationResult:
        self.bodies += [one["body"] for one in json.loads(payload)["Records"]]
        if len(self.bodies) >= self._wanted:
            self.has_all.set()
        return InvocationResult("id", b"null", "", "$LATEST", [])


def messages(*bodies: str) -> list[dict[str, Any]]:
    return [{"MessageId": one, "ReceiptHandle": one, "Body": one, "MD5OfBody": ""} for one in bodies]


def polling(queue: Queue, function: Function, **settings: Any) -> QueuePoller:
    mapped = EventSourceMapping("id", "function", QUEUE, size=10, **settings)
    return QueuePoller(mapped, cast(Queues, queue), cast(Clients, queue), cast(Invoker, function))


def failing() -> list[dict[str, Any]]:
    raise ArithmeticError("a bug")


def test_a_bug_ends_no_mapping() -> None:
    queue, function = Queue(failing, lambda: messages("a")), Function(1)
    poller = polling(queue, function)
    assert function.has_all.wait(PATIENCE_SECONDS)
    poller.end()


def test_what_was_received_before_a_failure_is_handed_over() -> None:
    many = [str(number) for number in range(10)]
    queue, function = Queue(lambda: messages(*many), failing), Function(10)
    poller = QueuePoller(
        EventSourceMapping("id", "function", QUEUE, size=20),
        cast(Queues, queue),
        cast(Clients, queue),
        cast(Invoker, function),
    )
    assert function.has_all.wait(PATIENCE_SECONDS)
    poller.end()
    assert function.bodies == many


@pytest.mark.parametrize("window", [0.0, 60.0])
def test_a_mapping_that_ends_hands_over_what_it_has_received(window: float) -> None:
    begun: list[QueuePoller] = []
    is_begun = threading.Event()

    def ended_meanwhile() -> list[dict[str, Any]]:
        assert is_begun.wait(PATIENCE_SECONDS)
        begun[0].end()
        return messages("a")

    queue, function = Queue(ended_meanwhile), Function(1)
    begun.append(polling(queue, function, window=window))
    is_begun.set()
    assert function.has_all.wait(PATIENCE_SECONDS)
