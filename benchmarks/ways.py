"""Ways of training, each as a whole process: the course's loop and train.py, and the times of their epochs."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import processes
from benchmarks.processes import Run

ENTRYPOINTS = Path(__file__).parents[1] / "entrypoints"
PARTS = ("waiting", "forward", "backward")
HEAD, ALL = "head", "all"


@dataclass(frozen=True)
class Epochs:
    """The times of one training by epoch, without validation, and by part in the later ones."""

    images: int
    seconds: Sequence[float]
    parts: Sequence[dict[str, float]]
    process: Run

    @property
    def fastest_parts(self) -> dict[str, float]:
        """The parts of the fastest epoch after the first: other processes can only make epochs longer."""
        return min(self.parts, key=lambda parts: sum(parts.values()))

    @property
    def fastest_seconds(self) -> float:
        """The seconds of the fastest epoch after the first."""
        return sum(self.fastest_parts.values())


@dataclass(frozen=True)
class TrainingRun:
    """What is trained: which network and layers, on which data, for how many epochs."""

    data: Path
    network: str
    layers: str
    side: int
    epochs: int

    @property
    def flags(self) -> tuple[object, ...]:
        """The flags that both ways have in common."""
        return ("--architecture", self.network, "--layers", self.layers, "--epochs", self.epochs)


def train_with_course_loop(training_run: TrainingRun) -> Epochs:
    """Runs the course's loop."""
    text, process = run(
        "-m", "benchmarks.course_loop", training_run.data, *training_run.flags, "--size", training_run.side
    )
    rows: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    parts = [{part: row[part] for part in PARTS} for row in rows]
    return Epochs(rows[0]["images"], [row["seconds"] for row in rows], parts[1:], process)


def train_with_script(training_run: TrainingRun) -> Epochs:
    """Runs train.py; the time before the first epoch counts to that epoch."""
    how = ("--weights", "none", "--patience", 0, "--batch-size", 32, "--learning-rate", 0.0005, "--cache-dir", "none")
    with tempfile.TemporaryDirectory() as model:
        where = ("--data", training_run.data, "--image-size", training_run.side, "--model-dir", model)
        _, process = run(ENTRYPOINTS / "train.py", *where, *training_run.flags, *how)
        rows: list[dict[str, float]] = json.loads(Path(model, "history.json").read_text(encoding="utf-8"))
    parts = [{part: row[f"seconds:{part}"] for part in PARTS} for row in rows]
    seconds = [sum(entry.values()) for entry in parts]
    seconds[0] += rows[0]["seconds:preparation"]
    return Epochs(count(training_run.data / "train"), seconds, parts[1:], process)


def prepare(source: Path, side: int, output: Path) -> float:
    """Returns the seconds of prepare.py."""
    flags = ("--source", source, "--image-size", side, "--output-dir", output)
    return processes.run([sys.executable, *map(str, (ENTRYPOINTS / "prepare.py", *flags))]).seconds


def decoding_milliseconds(folder: Path, side: int) -> float:
    """Returns the processor milliseconds to decode, crop and flip an image in train.py."""
    return _milliseconds(
        "import picture_dataset, split; from pathlib import Path\n"
        f"folder = Path({str(folder)!r}); found = split.load(folder, picture_dataset.class_names(folder))\n"
        f"pictures, count = picture_dataset.PictureDataset(found, {side}, 0), len(found.paths)\n"
        "started = time.process_time()\n"
        "for index in range(count): pictures[index, 0, True]\n"
    )


def training_milliseconds(network: str, side: int) -> float:
    """Returns the processor milliseconds to train all layers of a network on an image."""
    return _milliseconds(
        "import torch, networks, precision\n"
        "from hyperparameters import Hyperparameters; from optimization import create_optimizer\n"
        "torch.set_num_threads(1); chosen = precision.choose('auto', torch.device('cpu'))\n"
        f"network = networks.build({network!r}, 4).to(memory_format=chosen.memory_format)\n"
        f"pictures = torch.rand(32, 3, {side}, {side}).contiguous(memory_format=chosen.memory_format)\n"
        "optimizer, targets, count = create_optimizer(network, Hyperparameters()), torch.arange(32) % 4, 3 * 32\n"
        "for step in range(4):\n"
        "    if step == 1: started = time.process_time()\n"
        "    with chosen.autocast(): logits = network(pictures)\n"
        "    torch.nn.functional.cross_entropy(logits.float(), targets).backward()\n"
        "    optimizer.step(); optimizer.zero_grad()\n"
    )


def _milliseconds(code: str) -> float:
    """Returns the processor milliseconds for each of the code's `count` images, from its `started` on."""
    before = f"import sys, time; sys.path.insert(0, {str(ENTRYPOINTS)!r})\n"
    return float(run("-c", f"{before}{code}print(1000 * (time.process_time() - started) / count)")[0])


def run(*command: object) -> tuple[str, Run]:
    """Runs a process; returns its output and its figures."""
    with tempfile.TemporaryFile("w+") as output:
        process = processes.run([sys.executable, *map(str, command)], output)
        output.seek(0)
        return output.read(), process


def count(folder: Path) -> int:
    """Counts the images below a folder."""
    return sum(1 for path in folder.rglob("*") if path.is_file())
