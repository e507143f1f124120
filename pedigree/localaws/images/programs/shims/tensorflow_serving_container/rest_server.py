"""TensorFlow Serving's REST API on this host, for inference.py and its handlers."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tensorflow_serving_container.request_formats import ServingRequestError
from tensorflow_serving_container.saved_models import SavedModels

_PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+))?:(\w+)")


def started(models: SavedModels) -> int:
    """Serve models in a thread; the port."""

    class ModelsHandler(_Handler):
        served = models

    server = ThreadingHTTPServer(("127.0.0.1", 0), ModelsHandler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: SavedModels

    def do_POST(self) -> None:
        """Answer a document."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self._send(200, self._answered(body.decode()))
        except ServingRequestError as error:
            self._send(error.status_code, str(error).encode())
        except UnicodeDecodeError as error:
            self._send(400, str(ServingRequestError(400, f"JSON Parse error: {error}")).encode())

    def _answered(self, text: str) -> bytes:
        found = _PATH.fullmatch(self.path)
        if "Origin" in self.headers or not found:
            raise ServingRequestError(404, "Malformed request: POST " + self.path)
        if found[3] != "predict":
            raise ServingRequestError(400, f"the local AWS serves predict alone, and not {found[3]}")
        return self.served.answer(found[1], found[2] or "", text)

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing of requests."""
