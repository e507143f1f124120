"""Where the seconds of an import go, by package, as `python -X importtime` lists them."""

from __future__ import annotations

import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"import time: +(\d+) \| +(\d+) \| +(\S+)")
_MICRO = 1e6
# Parts of torch that take as long as other packages.
_PARTS = ("torch._dynamo", "torch._C", "torch.distributed")
UNCOMPILED = """
import os, sys
for module in list(sys.modules.values()):
    spec = getattr(module, "__spec__", None)
    if spec and spec.cached and spec.origin and spec.origin.endswith(".py") and not os.path.exists(spec.cached):
        print(spec.name)
"""


@dataclass(frozen=True)
class ImportTimes:
    """The seconds of each package, without those of the packages that it imports, and the modules without bytecode."""

    seconds: Mapping[str, float]
    uncompiled: Sequence[str]

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


def measure(python: Path, statement: str, folder: Path, rounds: int) -> ImportTimes:
    """Run a statement in fresh processes, in a folder; of each package the least time counts."""
    environment = {"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    runs = []
    for _ in range(rounds):
        done = subprocess.run(
            [str(python), "-X", "importtime", "-c", f"{statement}\n{UNCOMPILED}"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        runs.append(by_package(done.stderr.splitlines()))
    least = {package: min(run.get(package, 0.0) for run in runs) for run in runs for package in run}
    return ImportTimes(least, done.stdout.split())


def by_package(lines: Iterable[str]) -> dict[str, float]:
    """The own seconds of all modules of each package, from the lines of -X importtime."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for line in lines:
        if found := _LINE.match(line):
            own, _, name = found.groups()
            seconds[_package(name)] += int(own) / _MICRO
    return dict(seconds)


def _package(module: str) -> str:
    part = next((part for part in _PARTS if module == part or module.startswith(f"{part}.")), "")
    return part or module.partition(".")[0]
