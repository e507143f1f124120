"""How many cores this process may use: those of the machine, or fewer where it was given fewer."""

from __future__ import annotations

import os


def available() -> int:
    """The cores that are there to be used."""
    affinity = getattr(os, "sched_getaffinity", None)  # a container may have fewer than the machine
    return len(affinity(0)) if affinity else os.cpu_count() or 1
