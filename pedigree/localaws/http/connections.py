"""Connections that answer quickly: a worker stays with its client for a moment, and an answer is one write.

The server's own way hands every request from the thread that watches connections to one that works, and sends the head
of an answer before its body. Each costs a switch between threads or processes, which is most of what a short request
takes on a machine whose cores are busy.
"""

from __future__ import annotations

import io
import select
from typing import Any

from pedigree.localaws.http import heads

_MOMENT_MILLISECONDS = 20


class OneWrite(heads.Head):
    """A request whose answer's head waits for the first of its body."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._head = b""

    def send_headers(self) -> None:
        """Keep the head until there is something to send it with; of a body in chunks nobody knows when that is."""
        kept = io.BytesIO()
        writing, self.conn.wfile = self.conn.wfile, kept
        try:
            super().send_headers()
        finally:
            self.conn.wfile = writing
        self._head = kept.getvalue()
        if self.chunked_write:
            self._send_head()

    def write(self, chunk: bytes) -> None:
        """Send a piece of the body, the first one with the head."""
        if not self._head:
            super().write(chunk)
            return
        kept = io.BytesIO()
        writing, self.conn.wfile = self.conn.wfile, kept
        try:
            super().write(chunk)
        finally:
            self.conn.wfile = writing
        head, self._head = self._head, b""
        self.conn.wfile.write(head + kept.getvalue())

    def respond(self) -> None:
        """Answer; a head without a body is sent alone."""
        super().respond()
        self._send_head()

    def _send_head(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self.conn.wfile.write(head)


class Attentive(heads.Connection):
    """A connection whose worker waits a moment for the next request, as long as others are free to work."""

    RequestHandlerClass = OneWrite

    def communicate(self) -> bool:
        """Answer requests until none comes; whether the connection stays open."""
        while super().communicate():  # type: ignore[no-untyped-call]  # cheroot's
            if not self.rfile.has_data() and not self._is_more_to_come():
                return True
        return False

    def _is_more_to_come(self) -> bool:
        if self.server.requests.idle <= 1 or not self.server.ready:
            return False
        waiting = select.poll()
        waiting.register(self.socket, select.POLLIN)
        return bool(waiting.poll(_MOMENT_MILLISECONDS))
