"""The HTTP server: on this machine's own address only, from a start to a clean stop."""

from __future__ import annotations

import io
import threading

from cheroot.wsgi import Gateway_10
from cheroot.wsgi import Server as HttpServer

from pedigree.localaws.http.chain import Application
from pedigree.localaws.http.connections import Attentive

ADDRESS = "127.0.0.1"
_THREADS = 192  # a function that is called holds one as long as it runs, and needs others to be answered itself
_WAITING = 512
_LARGEST_BODY = 6 << 30
_LARGEST_HEAD = 64 << 10


class _Whole(Gateway_10):
    """Sends an answer's head together with what comes first of its body.

    A client takes a head that nothing follows for an empty answer, and not for one that broke off; so a daemon that is
    killed must not have sent the one without the other.
    """

    def write(self, chunk: bytes) -> None:
        """Send a piece of an answer."""
        if self.req.sent_headers:
            super().write(chunk)
            return
        connection, gathered = self.req.conn, io.BytesIO()
        sending, connection.wfile = connection.wfile, gathered
        try:
            super().write(chunk)
        finally:
            connection.wfile = sending
        sending.write(gathered.getvalue())


class Server:
    """An application behind a port; port 0 takes any that is free."""

    def __init__(self, application: Application, port: int) -> None:
        self._server = HttpServer(
            (ADDRESS, port), application, numthreads=_THREADS, server_name="pedigree", request_queue_size=_WAITING
        )
        self._server.gateway = _Whole
        self._server.max_request_body_size = _LARGEST_BODY
        self._server.max_request_header_size = _LARGEST_HEAD
        self._server.ConnectionClass = Attentive
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, name="server", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.bind_addr[1])

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Let go of the port and of every connection."""
        self._server.stop()
        self._thread.join()
