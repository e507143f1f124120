"""The throughput of prepare.py, compared with the simplest loop that decodes, resizes and encodes images.

    .venv-container/bin/python -m benchmarks.prepare [IMAGES [ROUNDS]]

The loop is the limit: only Pillow, one process, one core, no checks, no hashes. Both are whole processes on the same
drawn JPEGs (500 × 375), in turn. The loop also runs on every core at the same time, because prepare.py cannot gain what
cores share or other processes use; processor time per image gives the rest of the cost, even on a busy machine.
"""

from __future__ import annotations

import io
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from PIL import Image

PREPARE = str(Path(__file__).parents[1] / "entrypoints" / "prepare.py")
SIZE = (500, 375)
SHORT_SIDE = 224
CLASSES = 4
LEAST = 0.85
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def plain_loop(archive: str, output: str, first: int, step: int) -> None:
    """Returns a program that decodes, resizes, encodes and writes every n-th image of the archive."""
    scale = SHORT_SIDE / min(SIZE)
    size = round(SIZE[0] * scale), round(SIZE[1] * scale)
    with zipfile.ZipFile(archive) as images:
        for number, name in enumerate(images.namelist()[first::step]):
            with Image.open(io.BytesIO(images.read(name))) as picture:
                small = picture.convert("RGB").resize(size, Image.Resampling.BILINEAR)
            small.save(Path(output) / f"{first}-{number}.jpg", quality=92, subsampling=0)


def draw(archive: Path, count: int) -> None:
    """Draws images with the file size of photographs: soft shapes with some grain."""
    drawn = random.Random(0)  # noqa: S311 - pictures, not secrets
    grain = Image.effect_noise(SIZE, 40).convert("RGB")
    with zipfile.ZipFile(archive, "w") as images:
        for number in range(count):
            coarse = Image.frombytes("RGB", (20, 15), drawn.randbytes(900)).resize(SIZE, Image.Resampling.BICUBIC)
            content = io.BytesIO()
            Image.blend(coarse, grain, 0.25).save(content, "JPEG", quality=88)
            images.writestr(f"class-{number % CLASSES}/{number}.jpg", content.getvalue())


@dataclass(frozen=True)
class Run:
    """The time of several parallel processes, and their processor time."""

    seconds: float
    processor_seconds: float


def run(commands: list[list[str]]) -> Run:
    """Runs processes in parallel, with all their children."""
    started, before = time.perf_counter(), _used()
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    exits = [process.wait() for process in running]
    if any(exits):
        raise RuntimeError(f"{commands[0]} failed")
    return Run(time.perf_counter() - started, _used() - before)


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def loops(archive: Path, folder: Path, count: int) -> list[list[str]]:
    """Runs the simple loop as several processes, each with its share."""
    folder.mkdir()
    program = [sys.executable, "-m", "benchmarks.prepare", "--plain", str(archive), str(folder)]
    return [[*program, str(first), str(count)] for first in range(count)]


def prepare(archive: Path, folder: Path, workers: int) -> list[list[str]]:
    """Runs prepare.py as a process."""
    flags = ["--output-dir", str(folder), "--image-size", str(SHORT_SIDE), "--workers", str(workers)]
    return [[sys.executable, PREPARE, "--source", str(archive), *flags]]


def measure(count: int, rounds: int) -> dict[str, Run]:
    """Returns each way with the medians of its rounds."""
    runs: dict[str, list[Run]] = {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        archive = root / "images.zip"
        draw(archive, count)
        for turn in range(rounds):
            ways = {
                "plain loop, 1 core": loops(archive, root / f"{turn}-plain", 1),
                f"plain loop, {CORES} at once": loops(archive, root / f"{turn}-plains", CORES),
                "prepare.py, 1 worker": prepare(archive, root / f"{turn}-one", 1),
                f"prepare.py, {CORES} workers": prepare(archive, root / f"{turn}-all", CORES),
            }
            for way, commands in ways.items():
                runs.setdefault(way, []).append(run(commands))
    return {
        way: Run(median(entry.seconds for entry in those), median(entry.processor_seconds for entry in those))
        for way, those in runs.items()
    }


def main() -> None:
    """Measures and prints."""
    if sys.argv[1:2] == ["--plain"]:
        plain_loop(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
        return
    numbers = [int(text) for text in sys.argv[1:]]
    count, rounds = [*numbers, *(1200, 5)[len(numbers) :]]
    runs = measure(count, rounds)
    plain, together, _, ours = runs.values()
    load = os.getloadavg()[0]
    print(f"{count} images, median of {rounds} rounds; {CORES} cores, load {load:.1f}")
    print(f"{'':28} {'images/s':>9} {'ratio':>6} {'ms of processor':>16} {'ratio':>6}")
    for way, entry in runs.items():
        rate, cost = count / entry.seconds, 1000 * entry.processor_seconds / count
        share = plain.processor_seconds / entry.processor_seconds
        print(f"{way:28} {rate:9.0f} {plain.seconds / entry.seconds:6.2f} {cost:16.2f} {share:6.2f}")
    print(f"prepare.py / ({CORES} cores × plain loop): {plain.seconds / ours.seconds / CORES:.2f}, at least {LEAST}")
    print(f"prepare.py / plain loops on all cores at once: {together.seconds / ours.seconds:.2f}, at least {LEAST}")


if __name__ == "__main__":
    main()
