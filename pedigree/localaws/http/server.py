"""The HTTP server: it listens on this machine's own address only, from start() until stop()."""

from __future__ import annotations

import io
import threading
from typing import Any

from cheroot.wsgi import Gateway_10
from cheroot.wsgi import Server as CherootServer

from pedigree.localaws.http.chain import Application
from pedigree.localaws.http.connections import LingeringConnection
from pedigree.localaws.http.exchange import HEADERS
from pedigree.localaws.http.request_waiter import RequestWaiter
from pedigree.localaws.http.socket_streams import MAX_HEAD_BYTES

ADDRESS = "127.0.0.1"
_THREADS = 192  # a call of a function holds one as long as it runs, and the function's own calls need others
_WAITING = 4096


class _OneWriteGateway(Gateway_10):
    """Sends the head of an answer together with the beginning of its body.

    A client takes a head that nothing follows for an empty answer, not for one that broke off; so a daemon that is
    killed must not have sent the one without the other.
    """

    def get_environ(self) -> Any:
        """The request in WSGI's form, which cannot tell an underscore from a hyphen, and so has no name with one.

        All headers are there besides, by the names that they came with.
        """
        sent = self.req.inheaders
        self.req.inheaders = {name: value for name, value in sent.items() if b"_" not in name}
        try:
            environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        finally:
            self.req.inheaders = sent
        environ[HEADERS] = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in sent.items()}
        return environ

    def write(self, chunk: bytes) -> None:
        """Send a piece of an answer."""
        if self.req.sent_headers:
            super().write(chunk)
            return
        connection, buffer = self.req.conn, io.BytesIO()
        writing, connection.wfile = connection.wfile, buffer
        try:
            super().write(chunk)
        finally:
            connection.wfile = writing
        writing.write(buffer.getvalue())


class _Server(CherootServer):
    """cheroot's server, with connections that wait for their clients without a worker."""

    max_request_header_size = MAX_HEAD_BYTES
    max_request_body_size = 0  # each service has its own bound, and a refused body is not read
    gateway = _OneWriteGateway
    ConnectionClass = LingeringConnection

    _connections: Any

    def prepare(self) -> None:
        """Listen; cheroot's own manager of connections, which has none yet, is replaced."""
        super().prepare()
        self._connections.close()
        self._connections = RequestWaiter(self)

    def drain(self, connection: Any) -> None:
        """Close a connection after a little of what its client still sends was read."""
        self._connections.drain(connection)

    def process_conn(self, conn: Any) -> None:
        """Give a connection to the next free worker."""
        self.requests.put(conn)


class HttpServer:
    """An application behind a port; port 0 takes any that is free."""

    def __init__(self, application: Application, port: int) -> None:
        self._server = _Server(
            (ADDRESS, port), application, numthreads=_THREADS, server_name="pedigree", request_queue_size=_WAITING
        )
        self._server.gateway = _OneWriteGateway
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, name="server", daemon=True)

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self._server.bind_addr[1])

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every connection."""
        self._server.stop()
        self._thread.join()
