"""The model directory: weights, what they are of, and the code that serves them; written by train.py, read by all.

model.pth     a plain state dict: nothing in it but tensors
model.json    everything else that is needed to use it, and where it comes from
history.json  what every epoch measured
code/         inference.py and what it imports: the archive serves itself, and nothing is repacked
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

import contract
from errors import ModelError
from networks import Classifier, build

WEIGHTS_FILE = "model.pth"
MODEL_FILE = "model.json"
HISTORY_FILE = "history.json"
SERVING = (
    *(contract.INFERENCE, "contract.py", "errors.py", "model_folder.py", "networks.py", "pictures.py"),
    "vision.py",
)


@dataclass(frozen=True)
class Model:
    """What model.json says: how to build the network, what its answers mean, and where it comes from."""

    architecture: str
    head_width: int
    dropout: float
    classes: tuple[str, ...]
    labels: tuple[str, ...]
    image_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    dataset_sha256: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


def write(folder: Path, network: Classifier, model: Model, history: Sequence[Mapping[str, Any]]) -> None:
    """Write the whole directory."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    torch.save(state, folder / WEIGHTS_FILE)
    _write_json(folder / MODEL_FILE, asdict(model))
    _write_json(folder / HISTORY_FILE, list(history))
    code = folder / "code"
    code.mkdir(exist_ok=True)
    for name in SERVING:
        shutil.copyfile(Path(__file__).with_name(name), code / name)


def read(folder: Path) -> tuple[Classifier, Model]:
    """The network, ready to answer, and its description; what is in the folder is not trusted."""
    model = read_description(folder)
    network = build(
        model.architecture,
        len(model.classes),
        head_width=model.head_width,
        dropout=model.dropout,
        image_size=model.image_size,
    )
    path = folder / WEIGHTS_FILE
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises whatever its unpickler meets
        raise ModelError(f"{path} does not hold the weights of {MODEL_FILE}: {error}; train it again") from error
    return network.eval(), model


def read_description(folder: Path) -> Model:
    """What model.json says."""
    path = folder / MODEL_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        lists = {name: tuple(document[name]) for name in ("classes", "labels", "mean", "std")}
        return Model(**{**document, **lists})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} cannot be read: {error!r}; it is what {contract.TRAIN} writes") from None


def read_history(folder: Path) -> list[dict[str, Any]]:
    """What every epoch measured; nothing where nothing was kept."""
    path = folder / HISTORY_FILE
    history: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return history


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
