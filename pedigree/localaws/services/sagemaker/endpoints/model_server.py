"""One instance of an endpoint: a model's own inference code behind /ping and /invocations.

It runs in the container's environment, as a script, and needs only Python. The functions of the code are called as the
framework's toolkit calls them: model_fn once, then input_fn, predict_fn and output_fn, or transform_fn alone, all in
one thread, which makes torch fast. An answer that is an iterator is sent piece by piece. Functions that the code lacks
are in a program of the image, DEFAULTS, which may say what a request without a type is (DEFAULT_CONTENT_TYPE), and the
answer where nothing or anything is accepted (DEFAULT_ACCEPT); else both are JSON. SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT
comes before the latter, as in the toolkits.

    python model_server.py MODEL_FOLDER DEFAULTS [--install] [--socket DESCRIPTOR]

It prints its port as soon as it listens.
"""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

JSON, ANY = "application/json", "*/*"
_FAILED = 500
_LARGEST_BODY = 128 << 20  # a transform job sends up to 100 MB at once
_OWN_NAMES = ("127.0.0.1", "localhost")
_PIP_SECONDS = 450  # an instance has 480 seconds to start
_ACCEPT_VARIABLE, _PROGRAM_VARIABLE = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "SAGEMAKER_PROGRAM"
_NAMES = ("model_fn", "input_fn", "predict_fn", "output_fn")
Functions: TypeAlias = Mapping[str, Callable[..., Any]]


class Model:
    """The model, which runs in one thread."""

    def __init__(self, folder: Path, program: str, defaults: Path, *, installs: bool) -> None:
        self._folder = folder
        self._defaults = defaults
        self._installs = installs
        self._program = folder / "code" / program
        self._work: queue.SimpleQueue[tuple[bytes, str, str, queue.SimpleQueue[Any]]] = queue.SimpleQueue()
        self.is_ready = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[int, str, bytes | Iterator[bytes]]:
        """The status, content type and content of an answer; or the content's pieces, as the model makes them."""
        reply: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._work.put((body, content_type, accept, reply))
        status, kind, content = reply.get()
        return status, kind, _pieces(reply) if content is None else content

    def _run(self) -> None:
        try:
            _require(self._program.parent / "requirements.txt", installs=self._installs)
            functions, usual = _functions(self._program, self._defaults)
            model = functions["model_fn"](str(self._folder))
        except BaseException:  # noqa: BLE001  # after any error, this instance cannot serve
            traceback.print_exc()
            os._exit(1)
        self.is_ready.set()
        while True:
            body, content_type, accept, reply = self._work.get()
            content_type = content_type or getattr(usual, "DEFAULT_CONTENT_TYPE", JSON)
            if accept in ("", ANY):
                accept = os.environ.get(_ACCEPT_VARIABLE, "") or getattr(usual, "DEFAULT_ACCEPT", JSON)
            _give(reply, *_answer(functions, model, body, content_type, accept))


def _give(reply: queue.SimpleQueue[Any], status: int, kind: str, content: Any) -> None:
    """Hand an answer over, or piece by piece what the model's code yields; an error in there breaks it off."""
    if not isinstance(content, Iterator):
        reply.put((status, kind, content))
        return
    reply.put((status, kind, None))
    try:
        for piece in content:
            reply.put(_bytes(piece))
        reply.put(None)
    except Exception as error:  # noqa: BLE001  # the code of the model may raise anything
        traceback.print_exc()
        reply.put(error)


def _pieces(reply: queue.SimpleQueue[Any]) -> Iterator[bytes]:
    while (piece := reply.get()) is not None:
        if isinstance(piece, Exception):
            raise piece
        yield piece


def _bytes(content: Any) -> bytes:
    return content.encode() if isinstance(content, str) else bytes(content)


def _require(path: Path, *, installs: bool) -> None:
    """See to it that the environment has what a model's code requires.

    It is installed only into an environment of the model's own. Nothing is downloaded if everything is there already.
    """
    if not path.is_file():
        return
    done = _pip("--no-index", "--dry-run", "-r", str(path))
    lacking = [line for line in done.stdout.splitlines() if line.startswith("Would install")]
    if not done.returncode and not lacking:
        return
    if installs:
        done, lacking = _pip("-r", str(path)), []
        if not done.returncode:
            return
    reason = (lacking or done.stderr.splitlines() or [f"pip ended with {done.returncode}"])[-1]
    raise RuntimeError(f"code/requirements.txt asks for what the local AWS's environment lacks: {reason}")


def _pip(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the environment's own pip."""
    command = [sys.executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False)  # noqa: S603


def _functions(program: Path, defaults: Path) -> tuple[Functions, ModuleType | None]:
    """The functions of the model's code, with defaults for those that it lacks, and where those come from.

    An archive may have no code.
    """
    sys.path[:1] = [str(program.parent), str(defaults.parent / "shims"), str(defaults.parent)]
    is_named = bool(os.environ.get(_PROGRAM_VARIABLE))  # version 3 of the SDK sets it to nothing
    code = _imported(program) if program.is_file() or is_named else None
    own = {name: getattr(code, name) for name in (*_NAMES, "transform_fn") if hasattr(code, name)}
    if "transform_fn" in own and own.keys() & set(_NAMES[1:]):
        raise ValueError("the model's code has a transform_fn, so it cannot have input_fn, predict_fn or output_fn too")
    if own.keys() >= set(_NAMES) or own.keys() >= {"model_fn", "transform_fn"}:
        return own, None
    usual = _imported(defaults)
    return {**{name: getattr(usual, name) for name in _NAMES}, **own}, usual


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError(f"{path} is not there; a model archive needs code/inference.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _answer(functions: Functions, model: Any, body: bytes, content_type: str, accept: str) -> tuple[int, str, Any]:
    try:
        if "transform_fn" in functions:
            answer = functions["transform_fn"](model, body, content_type, accept)
        else:
            data = functions["input_fn"](body, content_type)
            answer = functions["output_fn"](functions["predict_fn"](data, model), accept)
    except Exception as error:  # noqa: BLE001  # the code of the model may raise anything
        status = int(getattr(error, "status_code", _FAILED))
        if status >= _FAILED:
            traceback.print_exc()
        return status, "text/plain", str(error).encode()
    content, kind = answer if isinstance(answer, tuple) else (answer, accept or JSON)
    return 200, kind, content if isinstance(content, Iterator) else _bytes(content)


class Handler(BaseHTTPRequestHandler):
    """/ping says whether the model is loaded, /invocations invokes it."""

    protocol_version = "HTTP/1.1"
    model: Model
    server: Server

    def do_GET(self) -> None:
        """Answer a ping."""
        if self._is_foreign():
            return self._refuse(403)
        return self._send(200 if self.path == "/ping" and self.model.is_ready.is_set() else 503, JSON, b"{}")

    def do_POST(self) -> None:
        """Answer an invocation."""
        length = self.headers.get("Content-Length") or "0"
        if self._is_foreign() or not length.isdecimal():
            return self._refuse(403)
        if int(length) > _LARGEST_BODY:
            return self._refuse(413)
        body = self.rfile.read(int(length))
        if self.path != "/invocations":
            return self._send(404, JSON, b"{}")
        types = (self.headers.get("Content-Type") or "", self.headers.get("Accept") or "")
        status, kind, content = self.model.answer(body, *types)
        return self._send(status, kind, content) if isinstance(content, bytes) else self._stream(status, kind, content)

    def _is_foreign(self) -> bool:
        """Whether a page in a browser may have sent this: it names another host, or says where it comes from."""
        names = [f"{name}{port}" for name in _OWN_NAMES for port in ("", f":{self.server.server_port}")]
        return self.headers.get_all("Host") not in [[name] for name in names] or "Origin" in self.headers

    def _refuse(self, status: int) -> None:
        """Refuse a request before its body is read."""
        self.close_connection = True
        self._send(status, JSON, b"{}")

    def _send(self, status: int, kind: str, content: bytes) -> None:
        head = f"HTTP/1.1 {status} \r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
        self.wfile.write(head.encode() + content)

    def _stream(self, status: int, kind: str, pieces: Iterator[bytes]) -> None:
        """Send an answer in chunks; the connection ends without the last one if the model's code breaks it off."""
        head = f"HTTP/1.1 {status} \r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.wfile.write(head.encode())
        try:
            for piece in pieces:
                if piece:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        except Exception:  # noqa: BLE001  # the code of the model may raise anything
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Log nothing: the daemon counts requests."""


class Server(ThreadingHTTPServer):
    """A thread for each connection; the model's own thread does the work."""

    daemon_threads = True
    request_queue_size = 256

    @classmethod
    def on_given_socket(cls, descriptor: int) -> Server:
        """A server on a socket that the daemon listens on already; it is the only way into a network of its own."""
        server = cls(("", 0), Handler, bind_and_activate=False)
        server.socket.close()
        server.socket = socket.socket(fileno=descriptor)
        server.server_name, server.server_port = "", 0
        return server


def main(folder: str, defaults: str, *options: str) -> None:
    """Serve the model in a folder until the process is ended."""
    given = options[options.index("--socket") + 1] if "--socket" in options else ""
    server = Server.on_given_socket(int(given)) if given else Server(("127.0.0.1", 0), Handler)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    sys.stdout.write(json.dumps({"port": server.server_port}) + "\n")
    sys.stdout.flush()
    # After the port: a model that fails to load at once must not print its reason before it.
    program = os.environ.get(_PROGRAM_VARIABLE) or "inference.py"
    Handler.model = Model(Path(folder), program, Path(defaults), installs="--install" in options)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
