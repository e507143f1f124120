"""The head of a request, before it is a request: what could be read in two ways is refused, and nobody waits for ever.

A header that decides where a request ends or to whom it goes stands in it once. A protocol that is not spoken here is
the client's mistake, not the server's.
"""

from __future__ import annotations

from typing import Any

from cheroot.server import HTTPConnection, HTTPRequest

_ONCE = (b"Host", b"Content-Length", b"Transfer-Encoding", b"Authorization", b"X-Amz-Target", b"Content-Type")
_LENGTHS = (b"Content-Length", b"Transfer-Encoding")


class _Headers(dict[bytes, bytes]):
    """Headers as they are read; ValueError is answered as a bad request."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if name in _ONCE and name in self:
            raise ValueError(f"{name.decode('latin-1')} is there twice")
        if name == _LENGTHS[0] and not value.isdigit():
            raise ValueError("Content-Length is no number")
        super().__setitem__(name, value)
        if all(one in self for one in _LENGTHS):
            raise ValueError("The request tells its length in two ways")


class Head(HTTPRequest):
    """A request as cheroot reads it, more strictly."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.inheaders = _Headers()

    def simple_response(self, status: str, msg: str = "") -> None:
        """What cheroot answers by itself: a version or an encoding that it does not know is a bad request."""
        told = str(status)
        if told.startswith(("501", "505")):
            self.close_connection = True
            told, msg = "400 Bad Request", msg or told
        super().simple_response(told, msg)

    def send_headers(self) -> None:
        """An application that has not read all that was sent says so, and nothing more is read."""
        self.close_connection = self.close_connection or (b"Connection", b"close") in self.outheaders
        super().send_headers()


class Connection(HTTPConnection):
    """A connection whose requests are read so."""

    RequestHandlerClass = Head
