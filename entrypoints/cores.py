"""Counts the CPU cores that this process may use."""

from __future__ import annotations

import os


def available() -> int:
    """Returns the number of cores of the machine, or fewer if the process is restricted to fewer."""
    affinity = getattr(os, "sched_getaffinity", None)  # a container may have fewer cores than the machine
    return len(affinity(0)) if affinity else os.cpu_count() or 1
