"""Ways of training, each a whole process of its own: the course's loop and train.py, and what their epochs took."""

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
    """What one way of training took, epoch by epoch, validation aside, and part by part in the later ones."""

    images: int
    seconds: Sequence[float]
    parts: Sequence[dict[str, float]]
    process: Run

    @property
    def quickest(self) -> dict[str, float]:
        """The parts of the quickest epoch after the first: whoever else uses the machine only makes epochs longer."""
        return min(self.parts, key=lambda parts: sum(parts.values()))

    @property
    def later(self) -> float:
        """The seconds of the quickest epoch after the first."""
        return sum(self.quickest.values())


@dataclass(frozen=True)
class Asked:
    """What is trained: which network, on what, which layers, how often."""

    data: Path
    network: str
    layers: str
    side: int
    epochs: int

    @property
    def flags(self) -> tuple[object, ...]:
        """What both ways call by the same name."""
        return ("--architecture", self.network, "--layers", self.layers, "--epochs", self.epochs)


def course(asked: Asked) -> Epochs:
    """The course's loop."""
    text, process = run("-m", "benchmarks.course_loop", asked.data, *asked.flags, "--size", asked.side)
    rows: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    parts = [{part: row[part] for part in PARTS} for row in rows]
    return Epochs(rows[0]["images"], [row["seconds"] for row in rows], parts[1:], process)


def ours(asked: Asked) -> Epochs:
    """train.py; what it does before the first epoch counts for that one."""
    how = ("--weights", "none", "--patience", 0, "--batch-size", 32, "--learning-rate", 0.0005, "--cache-dir", "none")
    with tempfile.TemporaryDirectory() as model:
        where = ("--data", asked.data, "--image-size", asked.side, "--model-dir", model)
        _, process = run(ENTRYPOINTS / "train.py", *where, *asked.flags, *how)
        rows: list[dict[str, float]] = json.loads(Path(model, "history.json").read_text(encoding="utf-8"))
    parts = [{part: row[f"seconds:{part}"] for part in PARTS} for row in rows]
    seconds = [sum(one.values()) for one in parts]
    seconds[0] += rows[0]["seconds:preparation"]
    return Epochs(count(asked.data / "train"), seconds, parts[1:], process)


def prepare(source: Path, side: int, output: Path) -> float:
    """The seconds that prepare.py takes."""
    flags = ("--source", source, "--image-size", side, "--output-dir", output)
    return processes.run([sys.executable, *map(str, (ENTRYPOINTS / "prepare.py", *flags))]).seconds


def decoded(folder: Path, side: int) -> float:
    """Milliseconds of a core's own time in which train.py decodes, crops and mirrors an image."""
    return _milliseconds(
        "import images, split; from pathlib import Path\n"
        f"folder = Path({str(folder)!r}); found = split.find(folder, images.class_names(folder))\n"
        f"pictures, count = images.Pictures(found, {side}, 0), len(found.paths)\n"
        "started = time.process_time()\n"
        "for index in range(count): pictures[index, 0, True]\n"
    )


def computed(network: str, side: int) -> float:
    """Milliseconds of a core's own time in which train.py trains all layers of a network on an image."""
    return _milliseconds(
        "import torch, networks, precision\n"
        "from hyperparameters import Hyperparameters; from optimizing import optimizer_of\n"
        "torch.set_num_threads(1); chosen = precision.choose('auto', torch.device('cpu'))\n"
        f"network = networks.build({network!r}, 4).to(memory_format=chosen.memory_format)\n"
        f"pictures = torch.rand(32, 3, {side}, {side}).contiguous(memory_format=chosen.memory_format)\n"
        "optimizer, targets, count = optimizer_of(network, Hyperparameters()), torch.arange(32) % 4, 3 * 32\n"
        "for step in range(4):\n"
        "    if step == 1: started = time.process_time()\n"
        "    with chosen.autocast(): logits = network(pictures)\n"
        "    torch.nn.functional.cross_entropy(logits.float(), targets).backward()\n"
        "    optimizer.step(); optimizer.zero_grad()\n"
    )


def _milliseconds(code: str) -> float:
    """What a piece of work takes a core for each of its `count` images, from where it has `started`."""
    before = f"import sys, time; sys.path.insert(0, {str(ENTRYPOINTS)!r})\n"
    return float(run("-c", f"{before}{code}print(1000 * (time.process_time() - started) / count)")[0])


def run(*command: object) -> tuple[str, Run]:
    """What a process printed, and what it took."""
    with tempfile.TemporaryFile("w+") as output:
        process = processes.run([sys.executable, *map(str, command)], output)
        output.seek(0)
        return output.read(), process


def count(folder: Path) -> int:
    """The images below a folder."""
    return sum(1 for path in folder.rglob("*") if path.is_file())
