"""Who waits for a message of a queue holds nobody else up, in whichever region and by whichever protocol."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.moto.queues import Queues
from pedigree.localaws.moto.services import Records

ACCOUNT = "123456789012"
WAIT_SECONDS = 10


class Read(io.BytesIO):
    """A body that says when it is read."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.is_read = threading.Event()

    def read(self, size: int | None = -1, /) -> bytes:
        self.is_read.set()
        return super().read(size)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    kept = Records(tmp_path_factory.mktemp("records"), ACCOUNT)
    kept.restore()
    return kept


def receiving(body: Read, region: str, **headers: str) -> dict[str, Any]:
    scope = f"AWS4-HMAC-SHA256 Credential=local/20260101/{region}/sqs/aws4_request, SignedHeaders=host, Signature=0"
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "CONTENT_LENGTH": str(len(body.getvalue())),
        "HTTP_HOST": "127.0.0.1",
        "HTTP_AUTHORIZATION": scope,
        "localaws.service": "sqs",
        "localaws.region": region,
        "localaws.operation": "ReceiveMessage",
        **headers,
    }


def form(name: str) -> Read:
    asked = {"Action": "ReceiveMessage", "Version": "2012-11-05", "WaitTimeSeconds": WAIT_SECONDS}
    return Read(urlencode({**asked, "QueueUrl": f"http://127.0.0.1/{ACCOUNT}/{name}"}).encode())


def document(name: str) -> Read:
    return Read(b'{"QueueUrl": "http://127.0.0.1/%s/%s", "WaitTimeSeconds": 10}' % (ACCOUNT.encode(), name.encode()))


JSON = {"HTTP_X_AMZ_TARGET": "AmazonSQS.ReceiveMessage", "CONTENT_TYPE": "application/x-amz-json-1.0"}
FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("name", "region", "headers"),
    [
        ("plain", "us-east-1", JSON),
        ("form", "us-east-1", FORM),
        ("far", "eu-west-1", JSON),
        ("both", "eu-west-1", FORM),
    ],
)
def test_a_message_that_is_sent_while_somebody_waits_for_it_arrives(
    records: Records, name: str, region: str, headers: dict[str, str]
) -> None:
    queues = Queues(records, "us-east-1")
    with records.held("sqs", region) as backend:
        backend.create_queue(name, {})
    body = form(name) if headers is FORM else document(name)
    statuses: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(queues, receiving(body, region, **headers), lambda status, *_: statuses.append(status))
        assert body.is_read.wait(WAIT_SECONDS)
        with records.held("sqs", region) as backend:
            backend.send_message(name, "the text", delay_seconds=0)
        assert b"the text" in b"".join(answer.result())
    assert statuses == ["200 OK"]


@pytest.mark.parametrize("region", ["us-east-1", "no-such-region"])
def test_a_queue_that_is_not_there_is_not_waited_for(records: Records, region: str) -> None:
    with pytest.raises(ServiceError):
        list(Queues(records, "us-east-1")(receiving(document("nobody"), region, **JSON), _unheard))


def _unheard(status: str, *_: Any) -> None:
    raise ServiceError("Answered", status)
