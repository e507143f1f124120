"""Processes that tests start: their signals, and which of them run."""

from __future__ import annotations

import signal
from pathlib import Path

from pedigree.localaws.kernel import orphans


def enable_interrupts() -> None:
    """Restore the handling of SIGINT, which a shell turns off for its background processes."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def running_processes(folder: Path) -> list[int]:
    """The processes that a local AWS in a folder has started, and that have not ended."""
    ((name, value),) = orphans.daemon_marker(folder).items()
    return [process for process in _all_processes() if f"{name}={value}".encode() in _read(process, "environ")]


def _all_processes() -> list[int]:
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return [process for process in numbers if b") Z " not in _read(process, "stat")]


def _read(process: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{process}/{name}").read_bytes()
    except OSError:
        return b""


# Code that names a process so that it can be found from outside of its container, too.
PROCESS_NAMES = """
import os
def name_of(process=None):
    return f"{os.stat('/proc/self/ns/pid').st_ino}:{process or os.getpid()}"
"""


def is_alive(name: str) -> bool:
    """Whether a process still runs, by the name that PROCESS_NAMES gives it."""
    return find_process(name) != 0


def find_process(name: str) -> int:
    """The number that a process has on this machine; 0 if it has ended."""
    namespace, _, number = name.partition(":")
    for process in _all_processes():
        numbers = [line.split() for line in _read(process, "status").decode().splitlines() if line.startswith("NSpid")]
        if numbers and numbers[0][-1] == number and _namespace(process) == int(namespace):
            return process
    return 0


def _namespace(process: int) -> int:
    try:
        return Path(f"/proc/{process}/ns/pid").stat().st_ino
    except OSError:
        return 0
