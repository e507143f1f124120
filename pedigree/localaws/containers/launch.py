"""Makes the command that runs another one in a container; the launcher's code and its plan come on standard input."""

from __future__ import annotations

import marshal
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pedigree.localaws.containers.container import Container, network_plan, plan
from pedigree.localaws.containers.machine import Machine
from pedigree.localaws.kernel.processes import Launch

_LAUNCHER = Path(__file__).with_name("launcher.py")
# Python alone, without its paths and packages, starts in a third of the time.
_COMMAND = (sys.executable, "-I", "-S", "-c", "import marshal, sys; exec(marshal.load(sys.stdin.buffer))")


def launched(container: Container, machine: Machine, command: Sequence[str]) -> Launch:
    """The launch of a command in a container."""
    return Launch(_COMMAND, _code() + plan(container, machine, command))


def network() -> Launch:
    """The launch of a process that holds a network without a way out; it prints a line when there is one."""
    return Launch(_COMMAND, _code() + network_plan())


@lru_cache(maxsize=1)
def _code() -> bytes:
    """The launcher, compiled once: that takes longer than all of a container's mounts."""
    return marshal.dumps(compile(_LAUNCHER.read_bytes(), str(_LAUNCHER), "exec", dont_inherit=True))
