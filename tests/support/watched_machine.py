"""A local AWS in a network that has only loopback, and programs that know of it what `pedigree local exec` says."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.loopback_only import LoopbackOnly, loopback_only

PEDIGREE = str(Path(sys.executable).with_name("pedigree"))


@dataclass(frozen=True)
class WatchedMachine:
    """Its home folder has the state of the local AWS, and no configuration of any client."""

    folder: Path
    network: LoopbackOnly

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"}

    def pedigree(self, *arguments: str) -> str:
        """What a verb prints, which must end well."""
        done = self.network.run([PEDIGREE, *arguments], self.environment, self.folder)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
        return done.stdout

    def run(self, *command: str, role: str = "") -> str:
        """What a command prints, which must end well, and must ask for nothing outside."""
        before = self.network.attempts()
        printed = self.pedigree("local", "exec", *(("--as-role", role) if role else ()), "--", *command)
        assert self.network.attempts() == before, f"{command} asked for something outside"
        return printed


@contextmanager
def watched_machine(folder: Path, *options: str) -> Iterator[WatchedMachine]:
    """Start one; options are those of `pedigree local up`, which asks for nothing outside, either."""
    with loopback_only(folder) as network:
        started = WatchedMachine(folder, network)
        started.pedigree("local", "up", *options)
        assert network.attempts() == 0
        yield started
        started.pedigree("local", "down")
