"""A connection's reader knows what of a request has come, without waiting for the rest."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from pedigree.localaws.http.socket_streams import SocketReader


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, SocketReader]]:
    client, server = socket.socketpair()
    with client, server:
        yield client, SocketReader(server)


@pytest.mark.parametrize(
    ("lines", "body", "is_whole"),
    [
        ("GET / HTTP/1.1\r\nHost: x", "", True),
        ("PUT / HTTP/1.1\r\nContent-Length: 3", "", False),
        ("PUT / HTTP/1.1\r\nContent-Length: 3", "ab", False),
        ("PUT / HTTP/1.1\r\ncontent-length:3 \r\nHost: x", "abc", True),
        ("PUT / HTTP/1.1\r\nContent-Length: 0", "", True),
        ("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked", "3\r\nabc\r\n", False),
        ("PUT / HTTP/1.1\r\nX-Other: Content-Length: 3", "", True),
    ],
)
def test_a_request_is_whole_when_its_body_has_come(
    ends: tuple[socket.socket, SocketReader], lines: str, body: str, is_whole: bool
) -> None:
    client, reader = ends
    client.sendall(f"{lines}\r\n\r\n{body}".encode())
    reader.receive()
    assert reader.has_head()
    assert reader.has_whole_request() is is_whole
