"""Counts the CPU cores that this process may use."""

from __future__ import annotations

import os
from collections.abc import Mapping

# The local AWS runs several hosts on one machine, and says with this variable how many cores are for each.
_SHARE_VARIABLE = "SM_LOCAL_CORES"


def available(environ: Mapping[str, str] = os.environ) -> int:
    """Returns the number of cores of the machine, or fewer if the process is restricted to fewer."""
    if share := environ.get(_SHARE_VARIABLE):
        return int(share)
    affinity = getattr(os, "sched_getaffinity", None)  # a container may have fewer cores than the machine
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def for_decoding(cores: int, processes: int, is_on_gpu: bool) -> int:
    """Returns how many processes decode for each training process: as many as cores beside a GPU, else half of them.

    On a single core, a process that decodes would only take turns with the one that trains.
    """
    return max(1, cores // processes) if is_on_gpu else cores // processes // 2
