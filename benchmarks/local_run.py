"""The time of `make run`, from nothing and then again, by step.

    python -m benchmarks.local_run

Both runs use one local AWS in a temporary folder, which is removed afterwards. The times of steps come from the local
AWS; the rest of the time is printed as outside of the execution.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pedigree.localaws import process

ROOT = Path(__file__).parents[1]
PEDIGREE = str(Path(sys.executable).with_name("pedigree"))
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PEDIGREE"))}
LIMITS = (120.0, 15.0)
_WIDTH = 50


@dataclass(frozen=True)
class Bar:
    """Something that took time, from one second of the run to another."""

    name: str
    begin: float
    end: float


def main() -> None:
    """Runs it twice, and prints both."""
    with tempfile.TemporaryDirectory(prefix="pedigree-") as base:
        folder = Path(base) / "aws"
        try:
            for title, limit in zip(("from nothing", "again, by the cache"), LIMITS, strict=True):
                _print(title, limit, *_run(folder))
        finally:
            process.reset(folder)


def _run(folder: Path) -> tuple[float, list[Bar]]:
    """Returns the seconds of a run, and what they were spent on."""
    begin = time.time()
    subprocess.run(
        [PEDIGREE, "run", "--folder", str(folder)], cwd=ROOT, env=CLEAN, check=True, stdout=subprocess.DEVNULL
    )
    seconds = time.time() - begin
    steps = list(_steps(folder, begin))
    first, last = min(bar.begin for bar in steps), max(bar.end for bar in steps)
    return seconds, [Bar("up, upsert, data", 0.0, first), *steps, Bar("results", last, seconds)]


def _steps(folder: Path, begin: float) -> Iterator[Bar]:
    script = f'eval "$({PEDIGREE} local up --folder {folder})" && {PEDIGREE} status --once --json'
    output = subprocess.run(
        ["sh", "-c", script], cwd=ROOT, env=CLEAN, check=True, capture_output=True, text=True
    ).stdout
    for step in json.loads(output)["steps"]:
        if step["started"] and step["ended"]:
            since, until = (datetime.fromisoformat(step[key]).timestamp() - begin for key in ("started", "ended"))
            yield Bar(step["name"], since, until)


def _print(title: str, limit: float, seconds: float, bars: list[Bar]) -> None:
    print(f"\n{title}: {seconds:.1f} s (wanted: {limit:.0f} s at most on 2 quiet cores; {_load()})")
    for bar in bars:
        indent, length = (round(_WIDTH * part / seconds) for part in (bar.begin, bar.end - bar.begin))
        print(f"  {bar.name:<20} {bar.end - bar.begin:6.1f} s  {' ' * indent}{'█' * max(1, length)}")


def _load() -> str:
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
