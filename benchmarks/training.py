"""How fast train.py trains, beside the course project's loop, on the same images with the same network.

    .venv-container/bin/python -m benchmarks.training [EPOCHS [SIDE]]

Whole processes, in turn, on drawn images of 500 pixels. With a frozen backbone: the course's loop runs the whole
network in every epoch, train.py once. With all layers: the course's loop and train.py from the originals, and train.py
from what prepare.py made of them. The seconds of an epoch are those of its training images, validation aside; the
first epoch of train.py has the features in it, validation's too.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import processes
from samples import archive, plan

ENTRYPOINTS = Path(__file__).parents[1] / "entrypoints"
ORIGINAL_SIDE = 500
CLASSES, PER_CLASS = 4, 60
NETWORK = "resnet18"
PARTS = ("waiting", "forward", "backward")


@dataclass(frozen=True)
class Epochs:
    """What one way of training took, epoch by epoch."""

    images: int
    seconds: Sequence[float]
    parts: dict[str, float]
    megabytes: float

    @property
    def later(self) -> float:
        """The median of the epochs after the first."""
        return median(self.seconds[1:])


def run(*command: object) -> tuple[str, float]:
    """What a process printed, and the most memory that it had."""
    with tempfile.TemporaryFile("w+") as output:
        peak = processes.run([sys.executable, *map(str, command)], output).megabytes
        output.seek(0)
        return output.read(), peak


def course(data: Path, layers: str, epochs: int, side: int) -> Epochs:
    """The course's loop."""
    flags = ("--architecture", NETWORK, "--layers", layers, "--epochs", epochs, "--size", side)
    text, peak = run("-m", "benchmarks.course_loop", data, *flags)
    rows: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    parts = {part: median(row[part] for row in rows[1:]) for part in PARTS}
    return Epochs(rows[0]["images"], [row["seconds"] for row in rows], parts, peak)


def ours(data: Path, layers: str, epochs: int, side: int, model: Path) -> Epochs:
    """train.py."""
    flags = ("--architecture", NETWORK, "--weights", "none", "--layers", layers, "--epochs", epochs, "--patience", 0)
    more = ("--batch-size", 32, "--learning-rate", 0.001, "--image-size", side, "--model-dir", model)
    _, peak = run(ENTRYPOINTS / "train.py", "--data", data, *flags, *more)
    rows: list[dict[str, float]] = json.loads((model / "history.json").read_text(encoding="utf-8"))
    seconds = [sum(row[f"seconds:{part}"] for part in PARTS) for row in rows]
    seconds[0] += rows[0]["seconds:preparation"]
    parts = {part: median(row[f"seconds:{part}"] for row in rows[1:]) for part in PARTS}
    return Epochs(count(data / "train"), seconds, parts, peak)


def count(folder: Path) -> int:
    """The images below a folder."""
    return sum(1 for path in folder.rglob("*") if path.is_file())


def draw(folder: Path, side: int) -> tuple[Path, Path]:
    """Original images, and what prepare.py makes of them."""
    planned = plan.Plan(CLASSES, PER_CLASS, ORIGINAL_SIDE, 0)
    with (folder / "images.zip").open("wb") as file:
        archive.write(file, planned, planned.samples())
    with zipfile.ZipFile(folder / "images.zip") as packed:
        packed.extractall(folder)
    prepared = folder / "prepared"
    flags = ("--source", folder / "images.zip", "--image-size", side, "--output-dir", prepared)
    run(ENTRYPOINTS / "prepare.py", *flags)
    return folder / "dogImages", prepared


def decoded(folder: Path, side: int) -> float:
    """Images a second that one core decodes, crops and mirrors."""
    code = (
        f"import sys, time; sys.path.insert(0, {str(ENTRYPOINTS)!r})\n"
        "import images, split; from pathlib import Path\n"
        f"folder = Path({str(folder)!r}); found = split.find(folder, images.class_names(folder))\n"
        f"pictures, started = images.Pictures(found, {side}, 0), time.perf_counter()\n"
        "for index in range(len(pictures)): pictures[index, 0, True]\n"
        "print(len(pictures) / (time.perf_counter() - started))"
    )
    return float(run("-c", code)[0])


def line(name: str, epochs: Epochs) -> None:
    """One way of training, in a line."""
    whole = sum(epochs.parts.values())
    shares = " ".join(f"{epochs.parts[part] / whole:8.0%}" for part in PARTS)
    first, later = epochs.seconds[0], epochs.later
    print(f"{name:34} {first:8.2f} {later:8.3f} {epochs.images / later:8.0f} {shares} {epochs.megabytes:8.0f}")


def main() -> None:
    """Measure and print."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    side = int(sys.argv[2]) if len(sys.argv) > 2 else 224
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        originals, prepared = draw(folder, side)
        print(f"{NETWORK}, {count(originals / 'train')} images, {side} pixels, {epochs} epochs, seconds an epoch")
        heads = ("first", "later", "images/s", "wait", "forward", "backward", "peak MB")
        print(" " * 34, *(f"{head:>8}" for head in heads))
        usual = course(originals, "head", epochs, side)
        line("frozen: the course's loop", usual)
        frozen = ours(prepared, "head", epochs, side, folder / "head")
        line("frozen: train.py", frozen)
        everything = course(originals, "all", epochs, side)
        line("all layers: the course's loop", everything)
        from_originals = ours(originals, "all", epochs, side, folder / "all")
        line("all layers: train.py, originals", from_originals)
        from_prepared = ours(prepared, "all", epochs, side, folder / "prepared-all")
        line("all layers: train.py, prepared", from_prepared)
        print(f"frozen, first epoch: {usual.seconds[0] / frozen.seconds[0]:.2f} × as fast as the course's, at least 1")
        print(f"frozen, later epochs: {usual.later / frozen.later:.0f} × as fast, at least 10")
        gain = from_originals.later / from_prepared.later
        print(f"all layers, prepared against originals: {gain:.2f} ×, at least 1.3")
        print(f"all layers, against the course's loop: {everything.later / from_prepared.later:.2f} ×")
        rates = decoded(originals / "train", side), decoded(prepared / "train", side)
        print(f"decoded by one core: {rates[0]:.0f} originals a second, {rates[1]:.0f} prepared images a second")
    print(f"measured in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
