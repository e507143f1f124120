"""The local AWS among hostile clients: its memory over many requests, and its answers beside silent connections.

    python -m benchmarks.hostile [REQUESTS [CONNECTIONS]]

A daemon in a process of its own gets requests that are malformed, enormous or broken off (20,000), and then connections
of which each sends nothing, half a head or half a body (5,000 of each kind). Beside the connections a client makes
calls, as it did alone before. The first call waits behind all connections that were opened just before it; it is
printed apart.
"""

from __future__ import annotations

import contextlib
import resource
import socket
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from tests.support.hostile import send_hostile_requests
from tests.support.local_aws import client, real_daemon
from tests.support.malformed import wire

MOST_GROWN_MEGABYTES = 300
MOST_MILLISECONDS = 100
_CALLS = 200
_PAUSE_SECONDS = 0.01


def resident_megabytes(process: int) -> float:
    """Returns the memory that a process has now."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def beginnings(port: int) -> Mapping[str, bytes]:
    """Returns what silent clients send before they fall silent."""
    signed = wire.sign(wire.HttpRequest("PUT", "/bucket/a", {"Content-Length": "9"}), "s3", port).headers
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items() if name.lower() != "host")
    return {
        "nothing": b"",
        "half a line": b"GET / HT",
        "half a head": b"GET / HTTP/1.1\r\nHost: x\r\nX-",
        "half a body": f"PUT /bucket/a HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}\r\nx".encode(),
    }


def call_milliseconds(queues: Any) -> list[float]:
    """Makes calls one after the other, and returns how long each took."""
    times = []
    for _ in range(_CALLS):
        begun = time.perf_counter()
        queues.list_queues()
        times.append(1000 * (time.perf_counter() - begun))
        time.sleep(_PAUSE_SECONDS)
    return times


def beside_silent(port: int, queues: Any, beginning: bytes, connections: int) -> list[float]:
    """Opens silent connections, and measures calls as long as they are there."""
    with contextlib.ExitStack() as stack:
        for _ in range(connections):
            silent = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            silent.sendall(beginning)
        return call_milliseconds(queues)


def _line(what: str, times: list[float]) -> str:
    first, *others = times
    high = sorted(others)[int(0.95 * len(others))]
    return f"{what:40}{first:9.1f}{median(others):9.1f}{high:9.1f}{max(others):9.1f}"


def main() -> int:
    """Measures and prints."""
    requests, connections = (int(value) for value in (*sys.argv[1:], *("20000", "5000")[len(sys.argv) - 1 :]))
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory() as folder, real_daemon(Path(folder)) as daemon:
        port, queues = daemon.port, client(daemon.url, "sqs")
        client(daemon.url, "s3").create_bucket(Bucket="bucket")
        alone = call_milliseconds(queues)
        before, begun = resident_megabytes(daemon.pid), time.perf_counter()
        send_hostile_requests(port, requests)
        grown = resident_megabytes(daemon.pid) - before
        print(f"{requests} hostile requests in {time.perf_counter() - begun:.0f} s: {before:.0f} MB {grown:+.0f} MB")
        print(f"{'milliseconds of a call':40}{'first':>9}{'median':>9}{'95 %':>9}{'worst':>9}")
        print(_line("alone", alone))
        beside = {}
        for kind, beginning in beginnings(port).items():
            beside[kind] = beside_silent(port, queues, beginning, connections)
            print(_line(f"beside {connections} that sent {kind}", beside[kind]))
    return 1 if grown > MOST_GROWN_MEGABYTES or max(map(median, beside.values())) > MOST_MILLISECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
