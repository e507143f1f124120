"""The cold start, latency and memory of the predicting function, compared with the course project's.

    python -m benchmarks.predict_lambda [ROUNDS [PYTHON]]

Both are new processes, in turn, with their code unpacked and not compiled, as in AWS. The endpoint is a local server
that both reach by AWS_ENDPOINT_URL; it answers at once, so that only the functions' own work is measured. The picture
of a "url" is on another server, with TLS: the course's endpoint fetches it, our function fetches it itself, with its
guards. PYTHON is another interpreter for both; it needs boto3.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import ssl
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from PIL import Image

from benchmarks.processes import run
from tests.support.certificates import TlsContexts, self_signed

ROOT = Path(__file__).parents[1]
HOST = "pictures.example"
REQUESTS = 40
LOGITS = [[number / 7 for number in range(133)]]
BEST = [{"label": f"Breed {number}", "class": f"{number:03}.Breed", "probability": 0.1} for number in range(5)]
COURSES = json.dumps(LOGITS).encode()
OURS = json.dumps({"logits": LOGITS, "predictions": [BEST]}).encode()
COURSE, OUR = "course_lambda", "predict"
NAMES = {COURSE: "the course's function", OUR: "predict.py"}
FIGURES = ("import ms", "first answer ms", "later answers ms", "peak MB")


@dataclass(frozen=True)
class Workplace:
    """The files and ports that the processes need."""

    folder: Path
    runtime: int
    pictures: int


class Handler(BaseHTTPRequestHandler):
    """A server that sends a response in one piece and keeps the connection, as AWS does."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_: object) -> None:
        """Does nothing, as only figures are printed."""

    def answer(self, content: bytes) -> None:
        """Sends the content."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def pictures(picture: bytes) -> type[Handler]:
    """Serves one picture."""

    class Pictures(Handler):
        def do_GET(self) -> None:
            self.answer(picture)

    return Pictures


def runtime(port: int, trust: ssl.SSLContext) -> type[Handler]:
    """Serves an endpoint: for JSON it is the course's, which fetches the URL in it."""

    class Runtime(Handler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Type"] != "application/json":
                self.answer(OURS)
                return
            if "url" in json.loads(body):
                fetch_picture(port, trust)
            self.answer(COURSES)

    return Runtime


def fetch_picture(port: int, trust: ssl.SSLContext) -> bytes:
    """Fetches the picture with Python's own library."""
    with urllib.request.urlopen(f"https://127.0.0.1:{port}/dog.jpg", context=trust) as answer:
        content: bytes = answer.read()
    return content


@contextmanager
def serving(handler: type[Handler], trust: ssl.SSLContext | None = None) -> Iterator[int]:
    """Runs a server, and yields its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if trust:
        server.socket = trust.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def photograph() -> bytes:
    """Returns a JPEG with the file size of a photograph."""
    content = io.BytesIO()
    Image.effect_noise((500, 375), 60).convert("RGB").save(content, "JPEG", quality=88)
    return content.getvalue()


def unpack(folder: Path) -> None:
    """Unpacks both functions as AWS does: sources only, nothing compiled."""
    shutil.copytree(ROOT / "lambda", folder / OUR, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / COURSE).mkdir()
    shutil.copy(ROOT / "benchmarks" / "course_lambda.py", folder / COURSE)


def certificate_bundle(trust: TlsContexts, folder: Path) -> Path:
    """Writes the system's certificates and that of the picture's host: as many to load as in a real function."""
    system = [ssl.DER_cert_to_PEM_cert(entry) for entry in ssl.create_default_context().get_ca_certs(binary_form=True)]
    path = folder / "trusted.pem"
    path.write_text("".join((*system, trust.certificate)), encoding="ascii")
    return path


def environment(workplace: Workplace, certificates: Path) -> dict[str, str]:
    """Returns the environment of a function."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    return {
        **inherited,
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{workplace.runtime}",
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_SESSION_TOKEN": "none",
        "ENDPOINT_NAME": "dogs",
        "SSL_CERT_FILE": str(certificates),
    }


def measure(name: str, event: Path, workplace: Workplace, python: str) -> tuple[float, ...]:
    """Runs one process, and returns its figures."""
    program = str(ROOT / "benchmarks" / "predict_process.py")
    words = [str(workplace.folder / name), name, str(event), str(REQUESTS), str(workplace.pictures)]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        run([python, "-I", "-B", program, *words], output)
        output.seek(0)
        figures_by_name: Mapping[str, float] = json.load(output)
    return (
        figures_by_name["imported"] * 1000,
        figures_by_name["first"] * 1000,
        figures_by_name["later"] * 1000,
        figures_by_name["megabytes"],
    )


def compare(kind: str, event: Path, workplace: Workplace, rounds: int, python: str) -> None:
    """Measures one kind of request with both functions in turn, after a round that does not count."""
    runs: dict[str, list[tuple[float, ...]]] = {name: [] for name in NAMES}
    for counted in [False] + [True] * rounds:
        for name, those in runs.items():
            entry = measure(name, event, workplace, python)
            those += [entry] if counted else []
    # The least of several: what others do on a machine only ever adds.
    least = {name: [min(figures) for figures in zip(*those, strict=True)] for name, those in runs.items()}
    print(f"{kind:24}" + "".join(f"{figure:>18} ratio" for figure in FIGURES))
    for name, figures in least.items():
        ratios = [figure / courses for figure, courses in zip(figures, least[COURSE], strict=True)]
        print(
            f"{NAMES[name]:24}"
            + "".join(f"{entry:18.2f} {ratio:5.2f}" for entry, ratio in zip(figures, ratios, strict=True))
        )


def main() -> None:
    """Measures and prints."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 31
    python = sys.argv[2] if len(sys.argv) > 2 else sys.executable
    picture = photograph()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unpack(folder)
        events = {"base64": {"image": base64.b64encode(picture).decode()}, "url": {"url": f"https://{HOST}/dog.jpg"}}
        trust = self_signed(HOST, folder)
        trust.client.check_hostname = False  # the endpoint that stands for the course's reaches it by number
        with (
            serving(pictures(picture), trust.server) as pictures_port,
            serving(runtime(pictures_port, trust.client)) as port,
        ):
            workplace = Workplace(folder, port, pictures_port)
            os.environ |= environment(workplace, certificate_bundle(trust, folder))
            print(f"least of {rounds} processes each, in turn; {len(picture)} bytes a picture, {REQUESTS} answers")
            for kind, event in events.items():
                path = folder / f"{kind}.json"
                path.write_text(json.dumps(event), encoding="utf-8")
                compare(kind, path, workplace, rounds, python)


if __name__ == "__main__":
    main()
