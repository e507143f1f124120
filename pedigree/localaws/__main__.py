"""The daemon as a process: one for a folder, until a signal ends it.

    python -m pedigree.localaws --folder .localaws [--port 0] [--region us-east-1] [--container .venv-container]

It holds a lock on its folder as long as it lives, and writes its address to daemon.json once it is ready. Without a
port, it listens where the one before it did, so that clients of that one find it again.
"""

from __future__ import annotations

import argparse
import fcntl
import gc
import json
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import IO

from pedigree.localaws import process
from pedigree.localaws.daemon import LocalAws, Options
from pedigree.localaws.engine.command_lines import CHOICES, NONE
from pedigree.localaws.http.server import ADDRESS
from pedigree.localaws.kernel import memory, orphans, state_folder

_PORT, _PROXY_PORT = "port", "proxy-port"
_MOST_FILES = 10_240
_LOCK_SECONDS = 0.5
_LOOK_SECONDS = 0.01
# Of the middle generation between two of all that is not frozen; Python's own number is 10.
_COLLECTIONS_BETWEEN = 100


def main() -> int:
    """Run the daemon of a folder."""
    options = _options()
    _allow_many_files()
    memory.return_large_blocks()
    os.umask(state_folder.OWNER_ONLY)
    state_folder.prepare(options.folder)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    with process.lock_path(options.folder).open("w") as lock:
        if not _is_taken(lock):
            logging.error("another local AWS runs in %s already", options.folder)
            return process.TAKEN
        process.state_path(options.folder).unlink(missing_ok=True)  # of one that was killed
        return _live(options)


def _is_taken(lock: IO[str]) -> bool:
    """Take the lock, and try for a while: a process that looks whether a daemon runs has it for a moment, too."""
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_SECONDS)
        else:
            return True


def _live(options: Options) -> int:
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    folder = options.folder
    port, proxy_port = options.port or _earlier_port(folder / _PORT), _earlier_port(folder / _PROXY_PORT)
    daemon = LocalAws(replace(options, port=port, proxy_port=proxy_port))
    try:
        daemon.start()
    except BaseException:
        orphans.kill_orphans(options.folder)  # what it has begun already
        raise
    _collect_garbage_seldom()
    (folder / _PORT).write_text(str(daemon.port), encoding="utf-8")
    (folder / _PROXY_PORT).write_text(str(daemon.proxy_port), encoding="utf-8")
    state = process.Daemon(
        os.getpid(),
        daemon.port,
        daemon.url,
        options.region,
        daemon.key,
        options.container is not None,
        enforces_iam=options.enforces_iam,
        tells_calls=options.logs_calls,
        has_well_known_keys=options.has_well_known_keys,
        why_no_containers=daemon.containers.support.reason,
        mounts=[str(path) for path in options.mounts],
        proxy_port=daemon.proxy_port,
        bundle=str(daemon.access.bundle),
        is_offline=options.is_offline,
        images=str(options.images or ""),
        engine=options.engine,
    )
    place = process.state_path(options.folder)
    beside = place.with_suffix(".arriving")
    beside.write_text(json.dumps(state.document), encoding="utf-8")
    beside.replace(place)
    if daemon.containers.support.reason:
        logging.warning("jobs have no containers: %s", daemon.containers.support.reason)
    logging.info("listening on %s, and on %s for AWS's host names", daemon.url, daemon.access.proxy_url)
    over.wait()
    place.unlink(missing_ok=True)
    daemon.stop()
    logging.info("ended")
    return 0


def _collect_garbage_seldom() -> None:
    """Never look through what is loaded, seldom through all the rest: each takes 200 ms without any answer."""
    gc.freeze()
    youngest, middle, _ = gc.get_threshold()
    gc.set_threshold(youngest, middle, _COLLECTIONS_BETWEEN)


def _allow_many_files() -> None:
    """Open as many files as the system allows: each connection is one, also of clients that send nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _earlier_port(path: Path) -> int:
    """The port of the last daemon, which is in a file, if it is free; else 0."""
    try:
        port = int(path.read_text(encoding="utf-8"))
        with socket.create_server((ADDRESS, port)):
            return port
    except (OSError, ValueError, OverflowError):
        return 0


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m pedigree.localaws", description="The daemon of the local AWS.")
    parser.add_argument("--folder", type=Path, required=True, help="where it remembers")
    parser.add_argument("--port", type=int, default=0, help="where it listens; 0: any free port")
    parser.add_argument("--region", default="us-east-1", help="the region that it stands for")
    parser.add_argument("--container", type=Path, help="the environment that stands for PyTorch's images")
    parser.add_argument("--images", type=Path, help="a file that says what stands for other images")
    parser.add_argument("--engine", choices=CHOICES, default=NONE, help="what runs images themselves")
    parser.add_argument("--no-iam", action="store_true", help="let everybody do everything")
    parser.add_argument("--well-known-keys", action="store_true", help="accept the keys local/local, too")
    parser.add_argument("--no-namespaces", action="store_true", help="run jobs without containers")
    parser.add_argument("--mount", type=Path, action="append", default=[], help="a folder that every job may change")
    parser.add_argument("--offline", action="store_true", help="refuse all hosts but AWS's")
    parser.add_argument("--verbose", action="store_true", help="log every call")
    given = parser.parse_args()
    container = given.container.resolve() if given.container else None
    return Options(
        given.folder.resolve(),
        given.region,
        given.port,
        container,
        enforces_iam=not given.no_iam,
        logs_calls=given.verbose,
        has_well_known_keys=given.well_known_keys,
        uses_namespaces=not given.no_namespaces,
        mounts=tuple(path.resolve() for path in given.mount),
        is_offline=given.offline,
        images=given.images.resolve() if given.images else None,
        engine=given.engine,
    )


def run() -> None:
    """Run the daemon and end with it: a thread of a daemon that failed must not keep its process."""
    try:
        code = main()
    except SystemExit:
        raise
    except BaseException:
        logging.exception("the local AWS has failed")
        code = 1
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
