"""What the start of a job costs, and where the seconds of a job with torch go.

    python -m benchmarks.job_start [--rounds 20] [--jobs 20] [--torch 3] [--container .venv-container]

All ways take turns in one run, and each is compared with the first of its table:
- a process that does nothing: bare, and in a container as a job has it;
- a job that does nothing, and a chain of them, on a local AWS without containers and on one with them;
- a script that imports torch: bare, as a processing job, and started by AWS's toolkit in a training job; with the
  processor time, which says more on a busy machine;
- the imports of the toolkit and of the scripts, by package.
The exit code is 1 if a container costs more than its limit, for each job of a chain.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TypeAlias

from benchmarks import import_times, process_tree
from benchmarks.overhead import local, shapes
from benchmarks.overhead.local import LocalAws
from pedigree.localaws.containers.container import Container, Mount
from pedigree.localaws.containers.runtime import ContainerRuntime, container_runtime
from pedigree.localaws.kernel.processes import Launch, start
from pedigree.localaws.process import UpOptions
from pedigree.localaws.services.sagemaker.resources.images import PROGRAMS_FOLDER

ROOT = Path(__file__).parents[1]
MOST_CONTAINER_MILLISECONDS = 40.0
NOTHING = ("true",)
TORCH = "import torch"
_CHAIN_SECONDS = 300.0
_CHAIN_ROUNDS = 5
_SHOWN_PACKAGES = 12
Way: TypeAlias = Callable[[], object]


def main() -> int:
    """Measure and print; returns 1 if the limit is exceeded."""
    arguments = _parse_arguments()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    with tempfile.TemporaryDirectory(prefix="job-start-") as base, ExitStack() as stack:
        folder, environment = Path(base), arguments.container.resolve()
        _print("a process that does nothing", _starts(folder, environment), arguments.rounds)
        without = stack.enter_context(local.started(folder / "without", _options(environment, has_containers=False)))
        ours = stack.enter_context(local.started(folder / "with", _options(environment, has_containers=True)))
        _print("a job that does nothing", _jobs(without, ours), arguments.rounds)
        ways = _chains(without, ours, arguments.jobs)
        seconds = _print(f"{arguments.jobs} jobs in a chain", ways, _CHAIN_ROUNDS)
        if arguments.torch:
            _print("a script that imports torch", _torch(environment, without, ours), arguments.torch)
            _print_imports(environment, arguments.torch)
    print(f"load {os.getloadavg()[0]:.1f}")
    return int(not _is_within_limit(seconds, arguments.jobs))


def _options(environment: Path, *, has_containers: bool) -> UpOptions:
    return UpOptions(container=environment, uses_namespaces=has_containers)


def _starts(folder: Path, environment: Path) -> Mapping[str, Way]:
    runtime = container_runtime(())
    launches = {"bare": Launch(NOTHING), "in a container": _contained(runtime, folder, environment)}

    def run(launch: Launch) -> None:
        with start(launch, folder, {"PATH": os.defpath}) as process:
            process.wait()

    return {name: lambda launch=launch: run(launch) for name, launch in launches.items()}  # type: ignore[misc]


def _contained(runtime: ContainerRuntime, folder: Path, environment: Path) -> Launch:
    """A launch as that of a job's host: folders of its own, and an environment into which pip may install."""
    mounts = []
    for target in ("/opt/ml", "/tmp", "/root"):  # noqa: S108  # the container's own
        own = folder / target.replace("/", "-")
        own.mkdir()
        mounts.append(Mount(own, target, is_writable=True))
    container = runtime.with_python(Container("algo-1", "/", tuple(mounts)), environment, folder / "changes")
    return runtime.launched(container, NOTHING)


def _jobs(without: LocalAws, ours: LocalAws) -> Mapping[str, Way]:
    return {
        "bare process": lambda: subprocess.run(NOTHING, check=True),
        "without containers": lambda: without.process(NOTHING),
        "with containers": lambda: ours.process(NOTHING),
    }


def _chains(without: LocalAws, ours: LocalAws, count: int) -> Mapping[str, Way]:
    def chain(aws: LocalAws) -> float:
        return aws.run(shapes.jobs(count, NOTHING, aws.role), _CHAIN_SECONDS).wall

    return {"without containers": lambda: chain(without), "with containers": lambda: chain(ours)}


def _torch(environment: Path, without: LocalAws, ours: LocalAws) -> Mapping[str, Way]:
    command = (str(environment / "bin" / "python"), "-c", TORCH)
    return {
        "bare process": lambda: subprocess.run(command, check=True),
        "processing job without containers": lambda: without.process(command),
        "processing job with containers": lambda: ours.process(command),
        "training job without containers": lambda: without.train(TORCH),
        "training job with containers": lambda: ours.train(TORCH),
    }


def _print(title: str, ways: Mapping[str, Way], rounds: int) -> Mapping[str, float]:
    """Run all ways in turn, once more than counts; print and return the median seconds of each."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            with process_tree.sampling() as times:
                began = time.perf_counter()
                own = way()
                passed = own if isinstance(own, float) else time.perf_counter() - began
            if number:
                seconds[name].append(passed)
                processor[name].append(times.seconds[-1])
    print(f"| {title}, median of {rounds} | ms | ratio | more ms | ms of processor |\n|---|---|---|---|---|")
    medians = {name: median(found) for name, found in seconds.items()}
    first = next(iter(medians.values()))
    for name, found in medians.items():
        used = 1000 * sum(processor[name]) / rounds  # ticks are long: the mean is finer than the median
        print(f"| {name} | {1000 * found:.1f} | {found / first:.2f} | {1000 * (found - first):.1f} | {used:.0f} |")
    print(flush=True)
    return medians


def _print_imports(environment: Path, rounds: int) -> None:
    imported = "sagemaker_training.cli.train, smdebug.exceptions"
    for title, statement in (
        ("the toolkit", f"import {imported}"),
        ("the toolkit as jobs start it", f"{_stand_ins(environment)}import {imported}"),
        *((f"{name}.py", f"import {name}") for name in ("prepare", "train", "evaluate", "inference")),
    ):
        times = import_times.measure(environment / "bin" / "python", statement, ROOT / "entrypoints", rounds)
        packages = sorted(times.seconds.items(), key=lambda item: -item[1])[:_SHOWN_PACKAGES]
        shown = ", ".join(f"{name} {1000 * seconds:.0f}" for name, seconds in packages)
        print(f"imports of {title}: {1000 * times.total:.0f} ms: {shown}")
        print(f"  without bytecode: {', '.join(times.uncompiled) or 'none'}", flush=True)


def _stand_ins(environment: Path) -> str:
    """The start of the toolkit but for its last step, the program."""
    written = (PROGRAMS_FOLDER / "toolkit_start.py").read_text(encoding="utf-8")
    text = written.replace("runpy.run_path(program", "(lambda *_, **__: None)(program")
    program = str(environment / "bin" / "train")
    return f"import sys\nsys.argv = ['-c', {program!r}]\nexec({text!r})\n"


def _is_within_limit(seconds: Mapping[str, float], jobs: int) -> bool:
    more = 1000 * (seconds["with containers"] - seconds["without containers"]) / jobs
    print(f"a container costs {more:.1f} ms for each job of the chain; at most {MOST_CONTAINER_MILLISECONDS:.0f}")
    return more <= MOST_CONTAINER_MILLISECONDS


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.job_start", description="What a job's start costs.")
    parser.add_argument("--rounds", type=int, default=20, help="how often each start is measured")
    parser.add_argument("--jobs", type=int, default=20, help="how many jobs the chains have")
    parser.add_argument(
        "--torch", type=int, default=3, help="how often what imports torch is measured; 0 leaves it out"
    )
    parser.add_argument("--container", type=Path, default=ROOT / ".venv-container", help="the jobs' environment")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
