"""Reads from and writes to a connection that never blocks: who must wait says so, and how long.

The thread that watches connections receives what is there and goes on; a worker waits for its own client only.
"""

from __future__ import annotations

import re
import select
import socket

from pedigree.localaws.http.request_body import BodyPendingError

MAX_HEAD_BYTES = 64 << 10
_HEAD_END = b"\r\n\r\n"
# To guess by; the parser decides what a head says.
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)
_CHUNKS = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_PIECE = 16 << 10
# A body that flows is read by one worker; one that stalls for longer than this has none until more of it comes.
_MOMENT_MILLISECONDS = 20


class SocketReader:
    """What has come over a connection."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._buffer = bytearray()
        self._searched = 0
        self.bytes_read = 0
        self.is_at_end = False
        self.is_overdue = False

    def receive(self) -> int:
        """Take what is there without waiting, and return how much that is."""
        piece = self._receive(_PIECE)
        self._buffer += piece or b""
        return len(piece or b"")

    def has_data(self) -> bool:
        """Return whether something has come that was not read."""
        return bool(self._buffer)

    def has_head(self) -> bool:
        """Return whether a request can be read, or refused, without waiting for more."""
        if len(self._buffer) > MAX_HEAD_BYTES or (self._buffer and self.is_at_end):
            return True
        found = self._buffer.find(_HEAD_END, self._searched) >= 0
        self._searched = 0 if found else max(0, len(self._buffer) - len(_HEAD_END))
        return found

    def has_whole_request(self) -> bool:
        """Return whether the body has come, too, as far as the head says simply."""
        end = self._buffer.find(_HEAD_END) + len(_HEAD_END)
        length = _LENGTH.search(self._buffer, 0, end)
        if length is not None:
            return len(self._buffer) - end >= int(length[1])
        return _CHUNKS.search(self._buffer, 0, end) is None

    def readline(self, size: int = -1) -> bytes:
        """Return the next line of a head, of which everything has come."""
        end = self._buffer.find(b"\n") + 1 or len(self._buffer)
        return self._take(end if size < 0 else min(size, end))

    def read(self, size: int = -1) -> bytes:
        """Return some bytes of a body, and none at its end; BodyPendingError if no more comes for a moment."""
        if self._buffer:
            return self._take(len(self._buffer) if size < 0 else size)
        piece = self._receive(size if size >= 0 else _PIECE)
        if piece is None and not self.is_overdue and self.wait(_MOMENT_MILLISECONDS):
            piece = self._receive(size if size >= 0 else _PIECE)
        if piece is not None:
            return piece
        raise TimeoutError("timed out") if self.is_overdue else BodyPendingError

    def unread(self, content: bytes) -> None:
        """Put back what belongs to the next request."""
        self._buffer[:0] = content

    def discard(self) -> int:
        """Throw away what has come, and return how much that was."""
        self._buffer.clear()
        return self.receive()

    def wait(self, milliseconds: int) -> bool:
        """Wait until more comes, and return whether it does."""
        return _poll(self._socket, select.POLLIN, milliseconds)

    def close(self) -> None:
        self._buffer.clear()

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._searched = 0
        return taken

    def _receive(self, size: int) -> bytes | None:
        """Return what is there, nothing at the end of the connection, and None if nothing has come."""
        if self.is_at_end:
            return b""
        try:
            piece = self._socket.recv(size)
        except BlockingIOError:
            return None
        except OSError:  # the client is gone
            piece = b""
        self.is_at_end = not piece
        self.bytes_read += len(piece)
        return piece


class SocketWriter:
    """Writes to a connection, and waits for its client as long as that reads something now and then."""

    def __init__(self, connection: socket.socket, patience_seconds: float) -> None:
        self._socket = connection
        self._patience_milliseconds = int(1000 * patience_seconds)
        self.bytes_written = 0

    def write(self, content: bytes) -> int:
        view = memoryview(content)
        while view:
            try:
                sent = self._socket.send(view)
            except BlockingIOError:
                if not _poll(self._socket, select.POLLOUT, self._patience_milliseconds):
                    raise TimeoutError("timed out") from None
                continue
            view = view[sent:]
        self.bytes_written += len(content)
        return len(content)


def _poll(connection: socket.socket, event: int, milliseconds: int) -> bool:
    poll = select.poll()
    poll.register(connection, event)
    return bool(poll.poll(milliseconds))
