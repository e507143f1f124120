"""cheroot's parsing of HTTP, made strict: a request that could be read in two ways is refused.

A header that decides where a request ends, or which host gets it, may occur once. A version or an encoding that is
not supported is the client's mistake, not the server's.
"""

from __future__ import annotations

from typing import Any

from cheroot.server import HTTPConnection, HTTPRequest

_ONCE = (b"Host", b"Content-Length", b"Transfer-Encoding", b"Authorization", b"X-Amz-Target", b"Content-Type")
_LENGTHS = (b"Content-Length", b"Transfer-Encoding")


class _Headers(dict[bytes, bytes]):
    """Headers as they come in; cheroot answers ValueError as a bad request.

    `expects_word` is for a client that sends its body only when it is told to, which cheroot would do at once.
    """

    expects_word = False

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if name in _ONCE and name in self:
            raise ValueError(f"{name.decode('latin-1')} is there twice")
        if name == _LENGTHS[0] and not value.isdigit():
            raise ValueError("Content-Length is no number")
        if name == b"Expect":
            self.expects_word = value.lower() == b"100-continue"
            return
        super().__setitem__(name, value)
        if all(header in self for header in _LENGTHS):
            raise ValueError("The request gives its length in two ways")


class StrictRequest(HTTPRequest):
    """A request with strict headers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.inheaders = _Headers()

    def simple_response(self, status: str, msg: str = "") -> None:
        """Answer without the application: an unknown version or encoding is a bad request, not a server error."""
        text = str(status)
        if text.startswith(("501", "505")):
            self.close_connection = True
            text, msg = "400 Bad Request", msg or text
        super().simple_response(text, msg)

    def send_headers(self) -> None:
        """Close the connection after this if the application says so."""
        self.close_connection = self.close_connection or (b"Connection", b"close") in self.outheaders
        super().send_headers()


class StrictConnection(HTTPConnection):
    """A connection of strict requests."""

    RequestHandlerClass = StrictRequest
