"""Watches the connections that wait for their clients: for a request's head, for more of a body, or for their end.

cheroot gives a connection to a worker as soon as it is there, and the worker waits for the request. Here a worker gets
it when the head of a request has come whole, so a client that sends nothing, or half of something, costs none. Requests
whose bodies have not come are handed over at a steady rate: thousands of them at once delay no other call.
"""

from __future__ import annotations

import resource
import selectors
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from itertools import islice
from typing import Any, Protocol

from pedigree.localaws.http.token_bucket import TokenBucket

_HEAD_SECONDS = 10.0
_BODY_SECONDS = 10.0
_DRAIN_SECONDS = 2.0
_MOST_DRAINED = 1 << 20
_ACCEPTED_AT_ONCE = 64
_ENDED_AT_ONCE = 100
_CHECK_SECONDS = 0.1
# More than a machine can answer in a second, and few enough that the workers who read them leave room for others.
_UNFINISHED_AT_ONCE = 64
_UNFINISHED_PER_SECOND = 500
_HELD_SECONDS = 0.004
# Files that the daemon needs besides connections: objects, databases, pipes of processes.
_OTHER_FILES = 512
_LEAST_CONNECTIONS = 64
_TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class WaitingConnection(Protocol):
    """A connection as far as it is watched."""

    deadline: float
    drained: int
    is_draining: bool
    pending: Any
    rfile: Any
    socket: socket.socket

    def close_now(self) -> None:
        """Close the connection, whatever its client does."""
        ...


class RequestWaiter:
    """Gives connections to workers when there is something to do for them, and closes those that take too long.

    Workers put connections here; only the thread of run() takes them out.
    """

    def __init__(self, server: Any) -> None:
        server.socket.setblocking(False)
        self._server = server
        self._selector = selectors.DefaultSelector()
        self._selector.register(server.socket, selectors.EVENT_READ)
        self._lock = threading.Lock()
        self._waiting: dict[WaitingConnection, None] = {}
        self._held: deque[WaitingConnection] = deque()
        self._unfinished = TokenBucket(_UNFINISHED_AT_ONCE, _UNFINISHED_PER_SECOND, time.monotonic)
        self._most = max(_LEAST_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _OTHER_FILES)
        self._is_stopped = False
        self._is_running = threading.Lock()

    @property
    def can_add_keepalive_connection(self) -> bool:
        """Whether a connection may wait for another request: always, since the oldest one makes room."""
        return True

    def put(self, connection: WaitingConnection) -> None:
        """Wait for the next request of a connection, or for more of the one that it has begun."""
        if connection.pending is None and connection.rfile.has_head():
            self._server.process_conn(connection)
        else:
            self._wait_for(connection, _BODY_SECONDS if connection.pending else self._server.timeout)

    def drain(self, connection: WaitingConnection) -> None:
        """Read a little of what a refused client still sends, so that it sees the answer; then close the connection."""
        connection.is_draining = True
        self._wait_for(connection, _DRAIN_SECONDS)

    def run(self, _expiration_interval: float) -> None:
        """Watch until stop() is called."""
        with self._is_running:
            checked = time.monotonic()
            while not self._is_stopped:
                for key, _ in self._selector.select(_HELD_SECONDS if self._held else _CHECK_SECONDS):
                    self._look_at(key.data)
                self._release_held()
                if time.monotonic() - checked > _CHECK_SECONDS:
                    checked = time.monotonic()
                    self._end_overdue(checked)

    def stop(self) -> None:
        """End run(), and return when it has ended."""
        self._is_stopped = True
        with self._is_running:
            pass

    def close(self) -> None:
        """Close all connections that wait."""
        for connection in (*self._snapshot(), *self._held):
            self._close(connection)
        self._selector.close()

    def _wait_for(self, connection: WaitingConnection, seconds: float) -> None:
        connection.deadline = time.monotonic() + seconds
        with self._lock:
            self._waiting[connection] = None
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def _take_out(self, connection: WaitingConnection) -> None:
        with self._lock:
            self._waiting.pop(connection, None)
        with suppress(KeyError, ValueError):
            self._selector.unregister(connection.socket)

    def _look_at(self, connection: WaitingConnection | None) -> None:
        """Do what is to be done for a connection that has sent something; None is the port itself."""
        if connection is None:
            self._accept()
        elif connection.is_draining:
            self._drain_more(connection)
        elif connection.pending is not None:
            self._give_to_worker(connection)
        else:
            self._receive(connection)

    def _receive(self, connection: WaitingConnection) -> None:
        is_first = not connection.rfile.has_data()
        connection.rfile.receive()
        if connection.rfile.has_head():
            self._begin(connection)
        elif connection.rfile.is_at_end:
            self._close(connection)
        elif is_first:
            connection.deadline = time.monotonic() + _HEAD_SECONDS

    def _begin(self, connection: WaitingConnection) -> None:
        """Give a new request to a worker, at once or in its turn."""
        if connection.rfile.has_whole_request():
            self._give_to_worker(connection)
            return
        self._take_out(connection)
        self._held.append(connection)
        self._release_held()

    def _give_to_worker(self, connection: WaitingConnection) -> None:
        self._take_out(connection)
        self._server.process_conn(connection)

    def _release_held(self) -> None:
        """Give requests whose bodies have not come to workers, as many as the rate allows."""
        while self._held and self._unfinished.take():
            self._server.process_conn(self._held.popleft())

    def _accept(self) -> None:
        """Take new connections; for one too many, the one that has waited longest is closed."""
        for _ in range(_ACCEPTED_AT_ONCE):
            if len(self._waiting) >= self._most:
                self._close_oldest()
            try:
                accepted, address = self._server.socket.accept()
            except BlockingIOError:
                return
            except OSError:  # the client is gone already, or no more files can be opened
                self._close_oldest()
                return
            connection = self._server.ConnectionClass(self._server, accepted)
            connection.remote_addr, connection.remote_port = address[:2]
            self._wait_for(connection, self._server.timeout)
            self._receive(connection)

    def _drain_more(self, connection: WaitingConnection) -> None:
        connection.drained += connection.rfile.discard()
        if connection.rfile.is_at_end or connection.drained > _MOST_DRAINED:
            self._close(connection)

    def _end_overdue(self, now: float) -> None:
        """End those that take too long, a few at a time, so that thousands of them delay no request."""
        overdue = (connection for connection in self._snapshot() if connection.deadline < now)
        for connection in islice(overdue, _ENDED_AT_ONCE):
            if connection.pending is not None and not connection.is_draining:
                connection.rfile.is_overdue = True  # so that its request is answered that it took too long
                self._give_to_worker(connection)
                continue
            if connection.rfile.has_data() and not connection.is_draining:
                with suppress(OSError):
                    connection.socket.send(_TIMED_OUT)
            self._close(connection)

    def _close_oldest(self) -> None:
        with self._lock:
            oldest = next(iter(self._waiting), None)
        if oldest is not None:
            self._close(oldest)

    def _snapshot(self) -> list[WaitingConnection]:
        with self._lock:
            return list(self._waiting)

    def _close(self, connection: WaitingConnection) -> None:
        self._take_out(connection)
        connection.close_now()
