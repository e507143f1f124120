"""The HTTP server: on this machine's own address only, from a start to a clean stop."""

from __future__ import annotations

import threading
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from localaws.web.router import Application

_ADDRESS = "127.0.0.1"
# More than functions can be called at once: whoever is called asks in turn, and must find a thread to be answered.
_THREADS = 128
_LARGEST_BODY = 6 << 30


class Server:
    """An application behind a port; port 0 takes any that is free."""

    def __init__(self, application: Application, port: int) -> None:
        self._sockets: dict[int, Any] = {}
        self._server = create_server(
            application,
            map=self._sockets,
            host=_ADDRESS,
            port=port,
            threads=_THREADS,
            max_request_body_size=_LARGEST_BODY,
            clear_untrusted_proxy_headers=True,
            ident="pedigree",
        )
        self._thread = threading.Thread(target=self._server.run, name="server", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.effective_port)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Let go of the port and of every connection."""
        self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._sockets))
        self._thread.join()
        self._server.task_dispatcher.shutdown()
