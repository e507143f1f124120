"""Connections that answer quickly: a worker stays with its client for a moment, and an answer is one write.

cheroot hands every request from the thread that watches connections to a worker, and sends the head of an answer
before its body. Each costs a switch between threads or processes, which is most of what a short request takes on a
machine whose cores are busy.
"""

from __future__ import annotations

import io
import select
from collections.abc import Callable
from typing import Any

from pedigree.localaws.http.strict_http import StrictConnection, StrictRequest

# Long enough for a client that pauses between its calls: to hand it back costs as much as to answer it.
_MOMENT_MILLISECONDS = 100


class OneWriteRequest(StrictRequest):
    """A request whose answer's head is sent together with the beginning of its body."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = b""

    def send_headers(self) -> None:
        """Keep the head until there is a body to send it with; a body in chunks may take its time."""
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

    def respond(self) -> None:
        """Answer; a head without a body is sent alone."""
        super().respond()
        self._send_head()

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

    RequestHandlerClass = OneWriteRequest

    def communicate(self) -> bool:
        """Answer requests until none comes; whether the connection stays open."""
        while super().communicate():  # type: ignore[no-untyped-call]  # cheroot's
            if not self.rfile.has_data() and not self._comes_more():
                return True
        return False

    def _comes_more(self) -> bool:
        if self.server.requests.idle <= 1 or not self.server.ready:
            return False
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(_MOMENT_MILLISECONDS))
