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
