"""A network without a way out, which the containers of one job share."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pedigree.localaws.containers import launch

_READY = b"ready\n"


@contextmanager
def isolated_network(environment: Mapping[str, str]) -> Iterator[int]:
    """Hold a network that has a loopback interface only; yields the process to enter it by."""
    launched = launch.network()
    with (
        launched.input() as plan,
        subprocess.Popen(  # noqa: S603  # this Python
            launched.command,
            env=dict(environment),
            stdin=plan,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if line != _READY:
                raise OSError(line.decode(errors="replace").strip() or "there is no network for the job")
            yield process.pid
        finally:
            process.kill()
