"""Servers on this machine whose answers a test decides byte by byte; they record requests and count connections."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Answer = Callable[[str], Iterable[bytes]]


@dataclass
class Server:
    """A server: its port, the whole text of each request, and the number of connections."""

    port: int
    requests: list[str] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        """A connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)


def http(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """The bytes of an HTTP answer; unless a header gives the length, it is added. It closes the connection."""
    lengths = () if any(line.lower().startswith(("content-length", "transfer")) for line in headers) else (len(body),)
    lines = (
        f"HTTP/1.1 {status}",
        *(f"Content-Length: {length}" for length in lengths),
        "Connection: close",
        *headers,
        "",
        "",
    )
    return "\r\n".join(lines).encode("utf-8") + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    """An answer that redirects."""
    return http(b"", f"Location: {location}", status=status)


@contextmanager
def serving(answer: Answer, trust: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that sends an answer in pieces until the client closes the connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1])

    def serve(plain: socket.socket) -> None:
        # Clients may disconnect at any time: tests do that on purpose.
        with plain, suppress(OSError):
            connection = trust.wrap_socket(plain, server_side=True) if trust else plain
            with connection:
                server.requests.append(_request(connection))
                for piece in answer(server.requests[-1]):
                    connection.sendall(piece)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                server.connections += 1
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _request(connection: socket.socket) -> str:
    connection.settimeout(60)
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while len(body) < int(lengths[0] if lengths else 0):
        body += _some(connection)
    return (head + b"\r\n\r\n" + body).decode("latin-1")


def _some(connection: socket.socket) -> bytes:
    piece = connection.recv(65_536)
    if not piece:
        raise ConnectionError("the client has disconnected")
    return piece


def free_port() -> int:
    """A port on which nothing listens now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
