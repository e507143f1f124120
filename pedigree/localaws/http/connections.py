"""Connections that answer quickly: a worker stays with its client for a moment, and an answer is one write.

cheroot hands every request from the thread that watches connections to a worker, and sends the head of an answer
before its body. Each costs a switch between threads or processes, which is most of what a short request takes on a
machine whose cores are busy. A request whose body has not come yet leaves its worker, and goes on when more is there.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from contextlib import suppress
from socket import SHUT_WR
from typing import Any

from pedigree.localaws.http.request_body import BodyPendingError, RequestBody
from pedigree.localaws.http.socket_streams import SocketReader, SocketWriter
from pedigree.localaws.http.strict_http import StrictConnection, StrictRequest

# Long enough for a client that pauses between its calls: to hand it back costs as much as to answer it.
_MOMENT_SECONDS = 0.1
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class OneWriteRequest(StrictRequest):
    """A request whose answer's head is sent together with the beginning of its body."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = b""
        self.gateway: Any = None

    def parse_request(self) -> None:
        """Parse the head, once."""
        if not self.ready:
            super().parse_request()

    def respond(self) -> None:
        """Answer, or leave the request pending until more of its body has come; a head without a body is sent alone."""
        if self.gateway is None:
            length = None if self.chunked_read else int(self.inheaders.get(b"Content-Length", 0))
            self.rfile = RequestBody(self.conn.rfile, length, self._allow_sending)
            self.gateway = self.server.gateway(self)
        try:
            self.gateway.respond()
        except BodyPendingError:
            self.conn.pending = self
            return
        self.ensure_headers_sent()
        if self.chunked_write:
            self.conn.wfile.write(b"0\r\n\r\n")
        self._send_head()

    def send_headers(self) -> None:
        """Keep the head until there is a body to send it with; a body in chunks may take its time.

        The connection ends with this answer if the rest of the body has not come: it is not worth waiting for.
        """
        if not self.rfile.finish_early():
            self.close_connection = self.conn.is_unread = True
        self._head = self._written(super().send_headers)
        if self.chunked_write:
            self._send_head()

    def write(self, chunk: bytes) -> None:
        """Send a piece of the body, the first one with the head."""
        if not self._head:
            super().write(chunk)
            return
        body = self._written(lambda: super(OneWriteRequest, self).write(chunk))
        head, self._head = self._head, b""
        self.conn.wfile.write(head + body)

    def _allow_sending(self) -> None:
        if self.inheaders.expects_word and not self.conn.rfile.has_data():
            self.conn.wfile.write(_CONTINUE)

    def _written(self, write: Callable[[], None]) -> bytes:
        """What would be written to the connection."""
        buffer = io.BytesIO()
        writing, self.conn.wfile = self.conn.wfile, buffer
        try:
            write()
        finally:
            self.conn.wfile = writing
        return buffer.getvalue()

    def _send_head(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self.conn.wfile.write(head)


class LingeringConnection(StrictConnection):
    """A connection whose worker waits a moment for the next request, as long as other workers are free."""

    def __init__(self, server: Any, sock: Any) -> None:
        super().__init__(server, sock, lambda *_: None)
        self.rfile, self.wfile = SocketReader(sock), SocketWriter(sock, server.timeout)
        self.RequestHandlerClass: Any = self._current_request
        self.pending: OneWriteRequest | None = None
        self.deadline, self.drained = 0.0, 0
        self.is_unread = self.is_draining = False

    def communicate(self) -> bool:
        """Answer requests until none comes; whether the connection stays open."""
        while super().communicate() or self.pending:  # type: ignore[no-untyped-call]  # cheroot's
            if self.pending or not self._comes_more():
                return True
        return False

    def close(self) -> None:
        """Close the connection; a client that still sends is listened to a little, so that it sees its answer."""
        self._abandon()
        if not self.is_unread or self.rfile.is_at_end or not self.server.ready:
            self.close_now()
            return
        with suppress(OSError):
            self.socket.shutdown(SHUT_WR)
        self.server.drain(self)

    def close_now(self) -> None:
        """Close the connection, whatever its client does."""
        self._abandon()
        super().close()

    def _current_request(self, server: Any, connection: Any) -> OneWriteRequest:
        """Return the request whose body was awaited, or a new one."""
        request, self.pending = self.pending, None
        return request or OneWriteRequest(server, connection)

    def _abandon(self) -> None:
        """Remove what was kept of a request that will not be answered."""
        if self.pending is not None:
            self.server.wsgi_app.abandon(self.pending.gateway.env)
            self.pending = None

    def _comes_more(self) -> bool:
        """Whether another request has come whole within a moment."""
        until = time.monotonic() + _MOMENT_SECONDS
        while not self.rfile.has_head():
            rest = until - time.monotonic()
            if rest <= 0 or self.rfile.is_at_end or self.server.requests.idle <= 1 or not self.server.ready:
                return False
            if self.rfile.wait(int(1000 * rest)):
                self.rfile.receive()
        return True
