"""The daemon as a process: one for a folder, until it is told to end.

    python -m localaws --folder .localaws [--port 0] [--region us-east-1] [--container .venv-container] [--no-iam]

It holds a lock on its folder as long as it lives, and says where it listens in daemon.json once it is ready.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from localaws import process
from localaws.daemon import LocalAws, Options


def main() -> int:
    """Be the daemon of a folder."""
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    with process.lock_path(options.folder).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            logging.error("another local AWS runs in %s already", options.folder)
            return process.TAKEN
        return _live(options)


def _live(options: Options) -> int:
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    daemon = LocalAws(options)
    daemon.start()
    told = {"pid": os.getpid(), "port": daemon.port, "url": daemon.url, "region": options.region}
    place = process.state_path(options.folder)
    beside = place.with_suffix(".arriving")
    beside.write_text(json.dumps(told), encoding="utf-8")
    beside.replace(place)
    logging.info("listening on %s", daemon.url)
    over.wait()
    place.unlink(missing_ok=True)
    daemon.stop()
    logging.info("ended")
    return 0


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m localaws", description="The daemon of the local AWS.")
    parser.add_argument("--folder", type=Path, required=True, help="where it remembers")
    parser.add_argument("--port", type=int, default=0, help="where it listens; 0: any free port")
    parser.add_argument("--region", default="us-east-1", help="the region that it stands for")
    parser.add_argument("--container", type=Path, help="the virtual environment that stands for the container")
    parser.add_argument("--no-iam", action="store_true", help="let everybody do everything")
    given = parser.parse_args()
    container = given.container.resolve() if given.container else None
    return Options(given.folder.resolve(), given.region, given.port, container, enforces_iam=not given.no_iam)


if __name__ == "__main__":
    sys.exit(main())
