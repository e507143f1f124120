"""A connection to a model server that stays open, and speaks the part of HTTP that model_server.py needs.

A request is one write and its answer nearly always one read: on one machine that is most of the cost of a request.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Address: TypeAlias = int | str
"""A port of this machine, or the name of a socket that a server in a network of its own was given."""
_READ = 1 << 16
_END = b"\r\n\r\n"
_LONGEST_HEAD = 1 << 16


class NoAnswerError(OSError):
    """The server has closed the connection, or its answer is not readable."""


@dataclass(frozen=True)
class Answer:
    """A model server's answer."""

    status: int
    content_type: str
    content: bytes


class Connection:
    """A connection to a model server."""

    def __init__(self, address: Address, seconds: float) -> None:
        self._socket = _connected(address, seconds)

    def set_patience(self, seconds: float) -> None:
        """Wait so long for each part of an answer from now on."""
        self._socket.settimeout(seconds)

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Send a request and return its answer; OSError if there is none."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
        self._socket.sendall(head.encode("latin-1") + body)
        return self._answer()

    def close(self) -> None:
        self._socket.close()

    def _answer(self) -> Answer:
        received = b""
        while _END not in received:
            received += self._more()
            if len(received) > _LONGEST_HEAD and _END not in received:
                raise NoAnswerError("the answer has no end of its head")
        head, _, content = received.partition(_END)
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status, length = first.split(" ")[1:2], fields.get("content-length", "")
        if not status or not status[0].isdecimal() or not length.isdecimal():
            raise NoAnswerError(f"the answer is not readable: {first[:80]}")
        return Answer(int(status[0]), fields.get("content-type", ""), self._whole(content, int(length)))

    def _whole(self, content: bytes, length: int) -> bytes:
        if len(content) == length:
            return content
        pieces, missing = [content], length - len(content)
        while missing > 0:
            pieces.append(self._more())
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def _more(self) -> bytes:
        more = self._socket.recv(_READ)
        if not more:
            raise NoAnswerError("the connection is closed")
        return more


def _connected(address: Address, seconds: float) -> socket.socket:
    if isinstance(address, int):
        connected = socket.create_connection(("127.0.0.1", address), seconds)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected
    connected = socket.socket(socket.AF_UNIX)
    connected.settimeout(seconds)
    try:
        connected.connect(address)
    except OSError:
        connected.close()
        raise
    return connected
