"""The time of `make run` and its results, from nothing and then again.

    python -m benchmarks.local_run [TIMES]

Each time, both runs use one local AWS in a temporary folder, which is removed afterwards. The times of steps come from
the local AWS; the rest of the time is printed as outside of the execution. The processor time of a part is that of all
processes of the run while the part lasted, so parts that ran side by side have the same. On a busy machine it says more
than the seconds.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks import process_tree
from pedigree.localaws import process

ROOT = Path(__file__).parents[1]
PEDIGREE = str(Path(sys.executable).with_name("pedigree"))
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PEDIGREE"))}
LIMITS = (120.0, 15.0)
RESULTS = re.compile(r"^(?:Trials|Champion|Prediction|  +\w+ has) .*", re.MULTILINE)
_WIDTH = 40


@dataclass(frozen=True)
class Bar:
    """Something that took time, from one second of the run to another, and the processor time meanwhile."""

    name: str
    begin: float
    end: float
    processor: float


@dataclass(frozen=True)
class TimedRun:
    """The seconds of a run, their parts, and the lines with its results."""

    seconds: float
    processor: float
    bars: list[Bar]
    results: list[str]


def main() -> None:
    """Runs it twice, as many times as asked, and prints everything."""
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 1):
        with tempfile.TemporaryDirectory(prefix="pedigree-") as base:
            folder = Path(base) / "aws"
            try:
                for title, limit in zip(("from nothing", "again, by the cache"), LIMITS, strict=True):
                    _print(title, limit, _run(folder))
            finally:
                process.reset(folder)


def _run(folder: Path) -> TimedRun:
    begin = time.time()
    command = [PEDIGREE, "run", "--folder", str(folder)]
    with (
        process_tree.sampling() as times,
        subprocess.Popen(command, cwd=ROOT, env=CLEAN, stdout=subprocess.PIPE, text=True) as running,
    ):
        output, _ = running.communicate()
    end = time.time()
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, command, output)
    parts = list(_parts(folder, begin, end))
    bars = [Bar(name, since - begin, until - begin, times.between(since, until)) for name, since, until in parts]
    return TimedRun(end - begin, times.between(begin, end), bars, RESULTS.findall(output))


def _parts(folder: Path, begin: float, end: float) -> Iterator[tuple[str, float, float]]:
    """The steps of the run, and what comes before and after them, each from one moment to another."""
    steps = list(_steps(folder))
    yield "up, upsert, data", begin, min(since for _, since, _ in steps)
    yield from steps
    yield "results", max(until for _, _, until in steps), end


def _steps(folder: Path) -> Iterator[tuple[str, float, float]]:
    script = f'eval "$({PEDIGREE} local up --folder {folder})" && {PEDIGREE} status --once --json'
    output = subprocess.run(
        ["sh", "-c", script], cwd=ROOT, env=CLEAN, check=True, capture_output=True, text=True
    ).stdout
    for step in json.loads(output)["steps"]:
        if step["started"] and step["ended"]:
            since, until = (datetime.fromisoformat(step[key]).timestamp() for key in ("started", "ended"))
            yield step["name"], since, until


def _print(title: str, limit: float, run: TimedRun) -> None:
    print(
        f"\n{title}: {run.seconds:.1f} s, {run.processor:.1f} s of processors "
        f"(wanted: {limit:.0f} s at most on 2 quiet cores; {_load()})"
    )
    for line in run.results:
        print(f"  {line}")
    for bar in run.bars:
        indent, length = (round(_WIDTH * part / run.seconds) for part in (bar.begin, bar.end - bar.begin))
        drawn = f"{' ' * indent}{'█' * max(1, length)}"
        print(f"  {bar.name:<20} {bar.end - bar.begin:6.1f} s, {bar.processor:6.1f} s of processors  {drawn}")
    sys.stdout.flush()


def _load() -> str:
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
