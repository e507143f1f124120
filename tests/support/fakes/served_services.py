"""Fake services as an account of this process, and behind an HTTP server on this machine."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from botocore import xform_name
from botocore.exceptions import ClientError

from pedigree.account.account import Account
from tests.support.fakes.clients import CallLog, FakeClient, FakeService
from tests.support.fakes.clock import START, SimulatedClock

ACCOUNT = "123456789012"
REGION = "us-east-1"
CALLER = f"arn:aws:iam::{ACCOUNT}:user/me"
_TARGETS = {
    "SageMaker": "sagemaker",
    "Logs_20140328": "logs",
    "AnyScaleFrontendService": "application-autoscaling",
    "AmazonSSM": "ssm",
}
_IDENTITY = f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>{CALLER}</Arn><UserId>me</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""


@dataclass
class SimulatedAccountClock:
    """The account's view of a simulated clock."""

    clock: SimulatedClock

    def now(self) -> dt.datetime:
        return self.clock.moment()

    def monotonic(self) -> float:
        return self.clock.now() - START

    def sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)


class UnpaginatedClient(FakeClient):
    """A client whose listings have one page."""

    def can_paginate(self, operation: str) -> bool:
        return False


def account_with(
    services: Mapping[str, FakeService], wire: CallLog | None = None, clock: SimulatedClock | None = None
) -> Account:
    """An account with these services."""
    line = wire or CallLog()
    return Account(
        ACCOUNT,
        REGION,
        lambda service: UnpaginatedClient(service, services[service], line),
        CALLER,
        SimulatedAccountClock(clock or SimulatedClock()),
    )


@contextmanager
def serve(services: Mapping[str, FakeService], wire: CallLog | None = None) -> Iterator[str]:
    """Serve these services, and STS's GetCallerIdentity; the server's address."""
    line = wire or CallLog()

    def client(service: str) -> FakeClient:
        return FakeClient(service, services[service], line)

    handler = type("Handler", (_Handler,), {"client": staticmethod(client)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Parses requests as boto3 sends them: JSON for most services, a form for STS, a path for Lambda."""

    client: Callable[[str], FakeClient]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        target, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
        try:
            if target:
                answer = self.client(_TARGETS[target]).call(xform_name(operation), json.loads(body))
                self._send(200, json.dumps(answer, default=_seconds).encode())
            elif b"GetCallerIdentity" in body:
                self._send(200, _IDENTITY.encode(), "text/xml")
            else:
                self._invoke(body)
        except ClientError as error:
            found = error.response["Error"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            answer = {"__type": found["Code"], "message": found["Message"]}
            self._send(status, json.dumps(answer).encode(), code=found["Code"])

    def _invoke(self, body: bytes) -> None:
        name = self.path.split("/")[3]
        qualifier = self.path.partition("Qualifier=")[2]
        answer = self.client("lambda").call("invoke", {"FunctionName": name, "Qualifier": qualifier, "Payload": body})
        self._send(200, answer["Payload"].read(), error=answer.get("FunctionError", ""))

    def _send(self, status: int, body: bytes, kind: str = "application/x-amz-json-1.1", **more: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if more.get("code"):
            self.send_header("x-amzn-ErrorType", more["code"])
        if more.get("error"):
            self.send_header("X-Amz-Function-Error", more["error"])
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def _seconds(value: dt.datetime) -> float:
    return value.timestamp()
