"""Several hosts: the library's own collective, whose tracker runs on the first of them."""

from __future__ import annotations

import json
import logging
import os
import socket
import socketserver
import sys
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from xgboost import collective
from xgboost.tracker import RabitTracker

from sagemaker_containers._network import address_of, when_there

_FIRST_PORT, _PORTS = 20_000, 10_000
_SECONDS_TO_PART = 30


def wait_hostname_resolution(sm_hosts: Sequence[str]) -> None:
    """Wait until each host's name has an address."""
    for host in sm_hosts:
        address_of(host)


def rabit_run(
    exec_fun: Callable[..., Any],
    args: Mapping[str, Any],
    include_in_training: bool,
    hosts: Sequence[str],
    current_host: str,
    first_port: int | None = None,
    second_port: int | None = None,
    max_connect_attempts: int | None = None,  # noqa: ARG001  # AWS's arguments; a host waits until the others are there
    connect_retry_timeout: int = 10,  # noqa: ARG001
    update_rabit_args: bool = False,
) -> None:
    """Call a function on all hosts that have data; with update_rabit_args it gets is_master, too.

    The hosts meet twice: to hear who has data, and to train. A host without data ends its process.
    """
    port = first_port or _port_of_the_job()
    with together(hosts, current_host, port):
        with_data = [host for host, has_data in _all_say((current_host, include_in_training)) if has_data]
    if not include_in_training:
        logging.warning("Host %s not being used for distributed training.", current_host)
        sys.exit(0)
    with together(with_data, current_host, second_port or port + 1) as is_master:
        exec_fun(**args, **({"is_master": is_master} if update_rabit_args else {}))


@contextmanager
def together(hosts: Sequence[str], current_host: str, port: int) -> Iterator[bool]:
    """Hold the connection to the other hosts; yields whether this one leads them.

    The first host starts the library's tracker at a port that is free, and says at the known port where that is.
    """
    names = sorted(hosts)
    index = names.index(current_host)
    if len(names) == 1:
        yield True
        return
    address = address_of(names[0])
    if index:
        with _joined(_ask(address, port), index):
            yield False
        return
    tracker = RabitTracker(n_workers=len(names), host_ip=address, sortby="task")
    tracker.start()
    words = tracker.worker_args()
    with _told(words, address, port), _joined(words, index):
        yield True
    tracker.wait_for(timeout=_SECONDS_TO_PART)


def _port_of_the_job() -> int:
    """A port that is this job's: on this machine the hosts of two jobs may have the same addresses."""
    return _FIRST_PORT + zlib.crc32(os.environ.get("TRAINING_JOB_NAME", "").encode()) % (_PORTS // 2) * 2


@contextmanager
def _told(words: Mapping[str, Any], address: str, port: int) -> Iterator[None]:
    """Tell the tracker's place to each host that connects."""

    class Teller(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(json.dumps(words).encode())

    class AddressServer(socketserver.TCPServer):
        allow_reuse_address = True  # an earlier job's connections may still wait for their end

    with AddressServer((address, port), Teller) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


def _ask(address: str, port: int) -> dict[str, Any]:
    """Where the tracker is, as soon as the first host is there."""

    def answer() -> dict[str, Any]:
        with socket.create_connection((address, port)) as connection, connection.makefile("rb") as file:
            words: dict[str, Any] = json.loads(file.read())
            return words

    return when_there(answer)


@contextmanager
def _joined(words: Mapping[str, Any], index: int) -> Iterator[None]:
    """Join the collective; ranks are in the order of the hosts' names."""
    with collective.CommunicatorContext(**words, dmlc_task_id=str(index)):
        yield


def _all_say(word: tuple[str, bool]) -> list[tuple[str, bool]]:
    """What each host says, in the order of their ranks."""
    if collective.get_world_size() == 1:
        return [word]
    rank = collective.get_rank()
    return [collective.broadcast(word if rank == root else None, root) for root in range(collective.get_world_size())]
