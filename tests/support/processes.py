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


# Code that names a process so that it can be found from outside of its container, too. The kernel soon uses the number
# of a namespace again; the time at which the process began tells them apart.
PROCESS_NAMES = """
import os
def name_of(process=None):
    process = process or os.getpid()
    with open(f"/proc/{process}/stat") as file:
        began = file.read().rpartition(")")[2].split()[19]
    return f"{os.stat('/proc/self/ns/pid').st_ino}:{process}:{began}"
"""


def is_alive(name: str) -> bool:
    """Whether a process still runs, by the name that PROCESS_NAMES gives it."""
    return find_process(name) != 0


def find_process(name: str) -> int:
    """The number that a process has on this machine; 0 if it has ended."""
    namespace, number, began = name.split(":")
    for process in _all_processes():
        numbers = [line.split() for line in _read(process, "status").decode().splitlines() if line.startswith("NSpid")]
        is_meant = numbers and numbers[0][-1] == number and _namespace(process) == int(namespace)
        if is_meant and _read(process, "stat").rpartition(b")")[2].split()[19:20] == [began.encode()]:
            return process
    return 0


def _namespace(process: int) -> int:
    try:
        return Path(f"/proc/{process}/ns/pid").stat().st_ino
    except OSError:
        return 0
