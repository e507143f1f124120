"""A file server on this machine that fails like real ones do, and records its requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as it was received."""

    path: str
    headers: Mapping[str, str]

    @property
    def begin(self) -> int:
        """The first requested byte."""
        return int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))


@dataclass
class Reply:
    """A response: what is announced, and what is sent."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    silent: bool = False
    stuck: bool = False
    """The server sends nothing after the body, and the connection stays open."""


Behavior = Callable[[ReceivedRequest, int], Reply]


@dataclass
class Server:
    """The server's URL, and the requests that it received."""

    url: str
    requests: list[ReceivedRequest]


def part(content: bytes, request: ReceivedRequest, tag: str = '"1"', limit: int | None = None) -> Reply:
    """Returns the requested bytes, or the first of them; all of them if the version is another one."""
    begin = request.begin if request.headers.get("If-Range", tag) == tag else 0
    body = content[begin:]
    headers = {"Content-Length": str(len(body)), "ETag": tag}
    if begin:
        headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
    return Reply(206 if begin else 200, headers, body if limit is None else body[:limit])


@contextmanager
def serving(behavior: Behavior) -> Iterator[Server]:
    """Runs a server whose behavior answers the n-th request."""
    requests: list[ReceivedRequest] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(ReceivedRequest(self.path, dict(self.headers.items())))
            reply = behavior(requests[-1], len(requests))
            if reply.silent:
                over.wait()
                return
            self.send_response(reply.status)
            for name, value in {"Connection": "close", **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = True
            if reply.stuck:
                over.wait()

        def log_message(self, *_: object) -> None:
            """Tests say what they see."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that hangs up is what some tests are about."""

    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_address[1]}", requests)
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def bucket(objects: Mapping[str, bytes], limit: int | None = None) -> Behavior:
    """Behaves like S3 for the bucket pictures; sends at most `limit` bytes at a time."""

    def answer(request: ReceivedRequest, _: int) -> Reply:
        address = urlsplit(request.path)
        key = address.path.removeprefix("/pictures").lstrip("/")
        if "list-type=2" in address.query:
            prefix = next(
                (parameter[7:] for parameter in address.query.split("&") if parameter.startswith("prefix=")), ""
            )
            return Reply(
                headers={"Content-Type": "application/xml"}, body=_listing(objects, prefix.replace("%2F", "/"))
            )
        if key not in objects:
            return Reply(404, body=b"<Error><Code>NoSuchKey</Code><Message>It is not there.</Message></Error>")
        return part(objects[key], request, limit=limit)

    return answer


def _listing(objects: Mapping[str, bytes], prefix: str) -> bytes:
    rows = "".join(
        f"<Contents><Key>{key}</Key><Size>{len(content)}</Size></Contents>"
        for key, content in objects.items()
        if key.startswith(prefix)
    )
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode()
