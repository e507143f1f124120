"""A server that refuses every call except GetCallerIdentity, each in the error format of its service."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.fakes.served_services import ACCOUNT, CALLER

_IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    f"<Arn>{CALLER}</Arn><UserId>me</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)
_QUERY = ("iam", "sts", "ec2")
_ALL_OTHERS = "everything"


@dataclass(frozen=True)
class Refusal:
    """The error's code, message and status; of: whether STS refuses, or all other services."""

    code: str
    message: str
    status: int = 400
    of: str = _ALL_OTHERS


@dataclass
class RefusingServer:
    """The server's address, and the services that were called."""

    no: Refusal
    address: str = ""
    requested_services: list[str] = field(default_factory=list)


@contextmanager
def refusing_server(no: Refusal) -> Iterator[RefusingServer]:
    """Run a server that refuses in one way."""
    state = RefusingServer(no)
    handler = type("Handler", (_Handler,), {"server_state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_state: RefusingServer
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        signed = re.search(r"Credential=[^/]+/\d+/[\w-]+/([\w-]+)/", self.headers.get("Authorization", ""))
        service = signed[1] if signed else ""
        self.server_state.requested_services.append(service)
        if service == "sts" and self.server_state.no.of == _ALL_OTHERS:
            self._send(200, _IDENTITY, "text/xml")
        else:
            self._refuse(service)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - http.server's own names

    def _refuse(self, service: str) -> None:
        no = self.server_state.no
        if service == "s3":
            self._send(no.status, f"<Error><Code>{no.code}</Code><Message>{no.message}</Message></Error>", "text/xml")
        elif service in _QUERY:
            error = f"<Error><Code>{no.code}</Code><Message>{no.message}</Message></Error>"
            whole = f"<Response><Errors>{error}</Errors></Response>" if service == "ec2" else _query(error)
            self._send(no.status, whole, "text/xml")
        else:
            self._send(no.status, json.dumps({"__type": no.code, "message": no.message}), "application/x-amz-json-1.1")

    def _send(self, status: int, body: str, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        if status != 200:
            self.send_header("x-amzn-ErrorType", self.server_state.no.code)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def _query(error: str) -> str:
    return f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"
