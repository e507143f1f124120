"""A long poll of a queue blocks no other call, in any region and with any protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from pedigree.localaws.http.exchange import Exchange, Scope
from pedigree.localaws.http.parser import read_call
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.moto.backends import MotoBackends
from pedigree.localaws.moto.queue_waiter import QueueWaiter
from pedigree.localaws.moto.service import MotoService
from pedigree.localaws.services.sqs.operations import SqsOperations
from tests.support.calls import exchange

ACCOUNT = "123456789012"
WAIT_SECONDS = 10


class WatchedQueueWaiter(QueueWaiter):
    """Says when a receiver begins to wait."""

    def __init__(self, backends: MotoBackends) -> None:
        super().__init__(backends, "us-east-1")
        self.is_waited_for = threading.Event()

    def wait(self, name: str, seconds: float, is_over: Callable[[], bool] = bool, *, region: str = "") -> bool:
        self.is_waited_for.set()
        return super().wait(name, seconds, is_over, region=region)


@pytest.fixture(scope="module")
def backends(tmp_path_factory: pytest.TempPathFactory) -> MotoBackends:
    stored = MotoBackends(tmp_path_factory.mktemp("records"), ACCOUNT)
    stored.restore()
    return stored


def operations(queues: QueueWaiter, backends: MotoBackends) -> SqsOperations:
    return SqsOperations(queues, MotoService("sqs", backends))


def receiving(body: bytes, region: str, headers: dict[str, str]) -> Exchange:
    scope = f"AWS4-HMAC-SHA256 Credential=local/20260101/{region}/sqs/aws4_request, SignedHeaders=host, Signature=0"
    received = exchange(
        "sqs", "POST", "http://127.0.0.1/", {"Host": "127.0.0.1", "Authorization": scope, **headers}, body
    )
    received.scope = Scope("local", region, "sqs")
    read_call(received)
    return received


def form(name: str) -> bytes:
    members = {"Action": "ReceiveMessage", "Version": "2012-11-05", "WaitTimeSeconds": WAIT_SECONDS}
    return urlencode({**members, "QueueUrl": f"http://127.0.0.1/{ACCOUNT}/{name}"}).encode()


def document(name: str) -> bytes:
    return json.dumps({"QueueUrl": f"http://127.0.0.1/{ACCOUNT}/{name}", "WaitTimeSeconds": WAIT_SECONDS}).encode()


JSON = {"X-Amz-Target": "AmazonSQS.ReceiveMessage", "Content-Type": "application/x-amz-json-1.0"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("name", "region", "headers"),
    [
        ("plain", "us-east-1", JSON),
        ("form", "us-east-1", FORM),
        ("far", "eu-west-1", JSON),
        ("both", "eu-west-1", FORM),
    ],
)
def test_a_message_that_is_sent_during_a_long_poll_arrives(
    backends: MotoBackends, name: str, region: str, headers: dict[str, str]
) -> None:
    queues = WatchedQueueWaiter(backends)
    with backends.backend("sqs", region) as backend:
        backend.create_queue(name, {})
    body = form(name) if headers is FORM else document(name)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(operations(queues, backends).receive_message, receiving(body, region, headers))
        assert queues.is_waited_for.wait(WAIT_SECONDS)
        with backends.backend("sqs", region) as backend:
            backend.send_message(name, "the text", delay_seconds=0)
        assert "the text" in answer.result().get_data(as_text=True)
    assert answer.result().status_code == 200


def test_a_queue_that_is_not_there_is_not_waited_for(backends: MotoBackends) -> None:
    queues = WatchedQueueWaiter(backends)
    answer = operations(queues, backends).receive_message(receiving(document("nobody"), "us-east-1", JSON))
    assert answer.status_code == 400
    assert not queues.is_waited_for.is_set()


def test_a_queue_of_a_region_that_is_not_there_is_not_waited_for(backends: MotoBackends) -> None:
    queues = WatchedQueueWaiter(backends)
    with pytest.raises(ServiceError):
        operations(queues, backends).receive_message(receiving(document("nobody"), "no-such-region", JSON))
    assert not queues.is_waited_for.is_set()
