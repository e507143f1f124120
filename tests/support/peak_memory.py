"""Measures how much memory a process took at its peak."""

from __future__ import annotations

import os
import re
import resource
import sys
from pathlib import Path


def peak_megabytes(process: int | None = None) -> int:
    """The peak of a process, this one by default. Linux hands a parent's peak on in ru_maxrss, but not in VmHWM."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20
    status = Path(f"/proc/{process or os.getpid()}/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+)", status)
    assert found is not None
    return int(found[1]) >> 10
