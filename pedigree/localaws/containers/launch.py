"""Makes the command that runs another one in a container; its plan is passed to it on standard input."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pedigree.localaws.containers.container import Container, network_plan, plan
from pedigree.localaws.containers.machine import Machine
from pedigree.localaws.kernel.processes import Launch

_LAUNCHER = Path(__file__).with_name("launcher.py")


def launched(container: Container, machine: Machine, command: Sequence[str]) -> Launch:
    """The launch of a command in a container."""
    return Launch(_command(), plan(container, machine, command))


def network() -> Launch:
    """The launch of a process that holds a network without a way out; it prints a line when there is one."""
    return Launch(_command(), network_plan())


def _command() -> tuple[str, ...]:
    # Python alone, without its paths and packages, starts in a third of the time.
    return (sys.executable, "-I", "-S", "-B", str(_LAUNCHER))
