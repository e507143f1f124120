"""Runs a script in a process of its own and measures how much memory it takes at its peak."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import contract

# Linux hands the peak of the parent on to its child in ru_maxrss, but not in VmHWM.
_MEASURE = """
import re, resource, sys, pathlib
def peak():
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20
    return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) >> 10
before = peak()
{script}
print(peak() - before)
"""


def run_measured(script: str, *arguments: Path) -> tuple[str, int]:
    """Returns what a script prints, and the megabytes that it took; modules are imported before it is measured."""
    imports, _, rest = script.partition("\n")
    environment = {"PYTHONPATH": str(Path(contract.__file__).parent)}
    words = [sys.executable, "-c", f"{imports}\n{_MEASURE.format(script=rest)}", *map(str, arguments)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    *lines, megabytes = done.stdout.splitlines()
    return "\n".join(lines), int(megabytes)
