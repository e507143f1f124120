"""The cost of orchestration: pipelines of steps that do nothing, on the local AWS and on other local orchestrators.

    python -m benchmarks.local_overhead [--steps 20] [--fan-out 100 500] [--limit 120] [--without TOOL ...]

Each shape is timed with its fewest steps and with all of them. A cell has the time of the whole, the ratio to the local
AWS, and the cost of each additional step, if it is more than the noise: there a tool's own start does not count. The
local AWS is a running daemon with IAM enforced, called with boto3; the others are commands. All take turns in one run.
The exit code is 1 if the local AWS exceeds its limits.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from benchmarks.overhead import local, shapes, tools
from benchmarks.overhead.local import LocalAws
from benchmarks.overhead.tools import ToolError

SERVICES, JOBS, FAN_OUT = "services", "jobs", "fan-out"
FEWEST = 4  # what the least of Metaflow's flows with a fan-out has
MOST_ROUNDS, ENOUGH_SECONDS = 5, 3.0  # how often each is timed, and when it has been often enough; the least counts
MOST_SERVICE_MILLISECONDS = 30.0
MOST_JOB_MILLISECONDS = 150.0
COMMAND = ("true",)
Way: TypeAlias = Callable[[str, int, float], float]
"""Seconds that a shape of so many steps takes; ToolError if it is not over in time."""


@dataclass
class Row:
    """The times of one tool: seconds by shape and steps, or the reason why there are none."""

    title: str
    way: Way
    seconds: dict[tuple[str, int], float] = field(default_factory=dict)
    refused: dict[tuple[str, int], str] = field(default_factory=dict)

    def time(self, shape: str, count: int, limit: float) -> None:
        """Times a shape several times, as long as that is quick."""
        passed: list[float] = []
        try:
            while len(passed) < MOST_ROUNDS and sum(passed) < ENOUGH_SECONDS:
                passed.append(self.way(shape, count, limit))
        except ToolError as error:
            self.refused[shape, count] = str(error)
            return
        self.seconds[shape, count] = min(passed)

    def milliseconds(self, shape: str, count: int) -> float | None:
        """Returns the milliseconds of each additional step of a shape."""
        few, many = self.seconds.get((shape, FEWEST)), self.seconds.get((shape, count))
        if few is None or many is None or count == FEWEST:
            return None
        return 1000 * (many - few) / (count - FEWEST)

    def cell(self, shape: str, count: int, ours: Row) -> str:
        """Returns the cell of a table: the whole, the ratio to ours, and each additional step."""
        seconds, step = self.seconds.get((shape, count)), self.milliseconds(shape, count)
        if seconds is None:
            return self.refused.get((shape, count), "–")
        best = ours.seconds.get((shape, count))
        ratio = f" ({seconds / best:.1f} ×)" if best and self is not ours else ""
        return f"{seconds:.2f} s{ratio}" + (f", {step:.1f} ms" if step and step > 0 else "")


def main() -> int:
    """Measures and prints; returns 1 if a limit is exceeded."""
    arguments = _parse_arguments()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        began = time.perf_counter()
        with local.started(Path(folder, "local")) as ours:
            print(f"the local AWS is up after {time.perf_counter() - began:.1f} s")
            ours.run(shapes.services(FEWEST, ours.function), arguments.limit)  # the function is warm from here on
            rows = [Row("local AWS", _definition_of(ours)), *_other_tools(Path(folder), arguments)]
            bare = _measure(rows, arguments)
        _print(rows, arguments.steps, arguments.fan_out, bare)
    print(f"load {os.getloadavg()[0]:.1f}")
    return int(not _within_limits(rows[0], arguments.steps, bare))


def _measure(rows: Sequence[Row], arguments: argparse.Namespace) -> float:
    """Times every shape with every tool, in turn; returns the milliseconds of the bare process that a job runs."""
    chains = [(shape, count) for shape in (SERVICES, JOBS) for count in (FEWEST, arguments.steps)]
    fan_outs = [(FAN_OUT, count) for count in (FEWEST, *arguments.fan_out)]
    bare = []
    for shape, count in (*chains, *fan_outs):
        for row in rows:
            row.time(shape, count, arguments.limit)
        bare.append(_bare_process_milliseconds(arguments.steps))
    return min(bare)


def _bare_process_milliseconds(count: int) -> float:
    """Returns the milliseconds of one process that does nothing, averaged over several."""
    began = time.perf_counter()
    for _ in range(count):
        subprocess.run(COMMAND, check=True)
    return 1000 * (time.perf_counter() - began) / count


def _definition_of(ours: LocalAws) -> Way:
    def way(shape: str, count: int, limit: float) -> float:
        made: Mapping[str, Callable[[], str]] = {
            SERVICES: lambda: shapes.services(count, ours.function),
            JOBS: lambda: shapes.jobs(count, COMMAND, ours.role),
            FAN_OUT: lambda: shapes.fan_out(count, ours.function),
        }
        try:
            timed = ours.run(made[shape](), limit)
        except TimeoutError:
            raise ToolError(f"over {limit:.0f} s") from None
        print(f"  {shape} of {timed.steps}: {timed.own:.3f} s by its own times, {timed.wall:.3f} s from outside")
        return timed.wall

    return way


def _other_tools(folder: Path, arguments: argparse.Namespace) -> list[Row]:
    """Returns the other tools; each has run once, so that its code is compiled."""
    rows = []
    for tool in tools.TOOLS:
        if tool.name in arguments.without:
            continue
        try:
            installed = tools.install(tool, folder / tool.name)
            installed.seconds(SERVICES, FEWEST, arguments.limit)
        except ToolError as error:
            print(f"{tool.name} is left out: {error}")
        else:
            rows.append(Row(f"{tool.name} {installed.version}", installed.seconds))
    return rows


def _print(rows: Sequence[Row], steps: int, fan_outs: Sequence[int], bare: float) -> None:
    columns = [(SERVICES, steps), (JOBS, steps), *((FAN_OUT, count) for count in fan_outs)]
    titles = [f"{count} {shape}" if shape != FAN_OUT else f"fan-out of {count}" for shape, count in columns]
    print(f"\nbare process: {bare:.1f} ms\n")
    print(f"| | {FEWEST} {SERVICES} | {' | '.join(titles)} |")
    print("|---" * (len(columns) + 2) + "|")
    for row in rows:
        cells = [row.cell(*column, rows[0]) for column in ((SERVICES, FEWEST), *columns)]
        print(f"| {row.title} | {' | '.join(cells)} |")


def _within_limits(ours: Row, steps: int, bare: float) -> bool:
    """Returns whether the local AWS is within its limits, with all overhead of an execution counted to its steps."""
    if ours.refused:
        print(f"\nthe local AWS did not come to an end: {ours.refused}")
        return False
    service, job = (1000 * ours.seconds[shape, steps] / steps for shape in (SERVICES, JOBS))
    print(f"\nservice steps: {service:.1f} ms each, start and end included; at most {MOST_SERVICE_MILLISECONDS:.0f}")
    print(f"jobs: {job - bare:.1f} ms each beyond the bare process; at most {MOST_JOB_MILLISECONDS:.0f}")
    return service <= MOST_SERVICE_MILLISECONDS and job - bare <= MOST_JOB_MILLISECONDS


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local_overhead", description="What a step costs.")
    parser.add_argument("--steps", type=int, default=20, help="how many steps the chains have")
    parser.add_argument("--fan-out", type=int, nargs="*", default=[100, 500], help="how many steps the fan-outs have")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds after which a run is given up")
    parser.add_argument("--without", nargs="*", default=[], help="tools to leave out")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
