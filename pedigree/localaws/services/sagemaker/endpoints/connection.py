"""A connection to a model server that stays open, and speaks the part of HTTP that model_server.py needs.

A request is one write and its answer nearly always one read: on one machine that is most of the cost of a request.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Address: TypeAlias = int | str
"""A port of this machine, or the name of a socket that a server in a network of its own was given."""
_READ = 1 << 16
_END = b"\r\n\r\n"
_LONGEST_HEAD = 1 << 16
_LINE = b"\r\n"
_TYPE, _LENGTH, _ENCODING, _CHUNKED = "content-type", "content-length", "transfer-encoding", "chunked"


class NoAnswerError(OSError):
    """The server has closed the connection, or its answer is not readable."""


@dataclass(frozen=True)
class Answer:
    """A model server's answer."""

    status: int
    content_type: str
    content: bytes


@dataclass(frozen=True)
class BegunAnswer:
    """A model server's answer whose content comes in pieces."""

    status: int
    content_type: str
    pieces: Iterator[bytes]


class Connection:
    """A connection to a model server."""

    def __init__(self, address: Address, seconds: float) -> None:
        self._socket = _connected(address, seconds)

    def set_patience(self, seconds: float) -> None:
        """Wait so long for each part of an answer from now on."""
        self._socket.settimeout(seconds)

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Send a request and return its answer; OSError if there is none."""
        self._send(method, path, headers, body)
        status, fields, content = self._head()
        if fields.get(_ENCODING) == _CHUNKED:
            return Answer(status, fields.get(_TYPE, ""), b"".join(self._chunks(content)))
        return Answer(status, fields.get(_TYPE, ""), self._whole(content, int(fields[_LENGTH])))

    def begin(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> BegunAnswer:
        """Send a request and return its answer when that begins; OSError if it does not."""
        self._send(method, path, headers, body)
        status, fields, content = self._head()
        is_chunked = fields.get(_ENCODING) == _CHUNKED
        pieces = self._chunks(content) if is_chunked else self._pieces(content, int(fields[_LENGTH]))
        return BegunAnswer(status, fields.get(_TYPE, ""), pieces)

    def close(self) -> None:
        self._socket.close()

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
        self._socket.sendall(head.encode("latin-1") + body)

    def _head(self) -> tuple[int, Mapping[str, str], bytes]:
        """The status and the fields of an answer, and what has come of its content."""
        received = b""
        while _END not in received:
            received += self._more()
            if len(received) > _LONGEST_HEAD and _END not in received:
                raise NoAnswerError("the answer has no end of its head")
        head, _, content = received.partition(_END)
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = first.split(" ")[1:2]
        has_end = fields.get(_LENGTH, "").isdecimal() or fields.get(_ENCODING) == _CHUNKED
        if not status or not status[0].isdecimal() or not has_end:
            raise NoAnswerError(f"the answer is not readable: {first[:80]}")
        return int(status[0]), fields, content

    def _whole(self, content: bytes, length: int) -> bytes:
        if len(content) == length:
            return content
        return b"".join(self._pieces(content, length))

    def _pieces(self, content: bytes, length: int) -> Iterator[bytes]:
        """The content of an answer of a known length, as it comes."""
        while length > 0:
            piece = content or self._more()
            length -= len(piece)
            content = b""
            yield piece

    def _chunks(self, received: bytes) -> Iterator[bytes]:
        """The content of an answer that comes in chunks."""
        while True:
            while _LINE not in received:
                received += self._more()
            line, _, received = received.partition(_LINE)
            size = _chunk_size(line)
            while len(received) < size + len(_LINE):
                received += self._more()
            if not size:
                return
            yield received[:size]
            received = received[size + len(_LINE) :]

    def _more(self) -> bytes:
        more = self._socket.recv(_READ)
        if not more:
            raise NoAnswerError("the connection is closed")
        return more


def _chunk_size(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        raise NoAnswerError(f"the answer has a chunk that is not readable: {line[:80]!r}") from None


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
