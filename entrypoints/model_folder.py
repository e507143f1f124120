"""The model directory: weights, what they are of, and the code that serves them; written by train.py, read by all.

model.pth     a plain state dict: nothing in it but tensors
model.json    everything else that is needed to use it, and where it comes from
history.json  what every epoch measured
code/         inference.py and what it imports: the archive serves itself, and nothing is repacked
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

import contract
import hyperparameters
import atomic_files
from errors import ModelError
from networks import Classifier, build

WEIGHTS_FILE = "model.pth"
MODEL_FILE = "model.json"
HISTORY_FILE = "history.json"
CODE_FOLDER = contract.CODE_OF_A_MODEL
LARGEST_IMAGE = 4096
_LARGEST_JSON = 64 * 1024**2
SERVING = (
    *(contract.INFERENCE, "contract.py", "errors.py", "hyperparameters.py", "model_folder.py", "networks.py"),
    *("pictures.py", "predictor.py", "tensors.py", "vision.py", "writing.py"),
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
    state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    with atomic_files.whole(folder / WEIGHTS_FILE) as file:
        torch.save(state, file)
    _write_json(folder / MODEL_FILE, asdict(model))
    _write_json(folder / HISTORY_FILE, list(history))
    code = folder / CODE_FOLDER
    for name in SERVING:
        with atomic_files.whole(code / name) as file:
            file.write(Path(__file__).with_name(name).read_bytes())


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
    """What model.json says, as far as it can be true."""
    path = folder / MODEL_FILE
    try:
        document = _read_json(path)
        lists = {name: tuple(document[name]) for name in ("classes", "labels", "mean", "std")}
        model = Model(**{**document, **lists})
        problem = next((words for words, holds in _conditions(model) if not holds), None)
    except (KeyError, TypeError) as error:
        raise ModelError(f"{path} cannot be read: {error!r}; it is what {contract.TRAIN} writes") from None
    if problem:
        raise ModelError(f"{path}: {problem}; it is what {contract.TRAIN} writes")
    return model


def read_history(folder: Path) -> list[dict[str, Any]]:
    """What every epoch measured; nothing where nothing was kept."""
    path = folder / HISTORY_FILE
    history = _read_json(path) if path.is_file() else []
    if not isinstance(history, list) or not all(isinstance(epoch, dict) for epoch in history):
        raise ModelError(f"{path} is no list of epochs; it is what {contract.TRAIN} writes")
    return history


def _conditions(model: Model) -> list[tuple[str, bool]]:
    """What must hold before anything is built: a size out of a file must not take all memory."""
    names = (*model.classes, *model.labels)
    colors = (*model.mean, *model.std)
    return [
        ("its architecture is no name", isinstance(model.architecture, str)),
        ("its classes and labels are no names, one each", all(isinstance(name, str) for name in names)),
        ("it has not as many labels as classes, or none", 0 < len(model.classes) == len(model.labels)),
        ("its image size is none", _within(model.image_size, int, 1, LARGEST_IMAGE)),
        ("its head width is none", _within(model.head_width, *hyperparameters.NUMBERS["head_width"])),
        ("its dropout is none", _within(model.dropout, *hyperparameters.NUMBERS["dropout"])),
        ("its mean and std are not three colors each", len(model.mean) == len(model.std) == 3),
        ("its mean and std are no numbers", all(_within(value, float, -1e6, 1e6) for value in colors)),
        ("its std has no spread", all(value > 0 for value in model.std)),
    ]


def _within(value: object, kind: type, least: float, most: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return (kind is float or isinstance(value, int)) and least <= value <= most


def _read_json(path: Path) -> Any:
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise ModelError(f"{path} is larger than {_LARGEST_JSON} bytes; it is what {contract.TRAIN} writes")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read: {error!r}; it is what {contract.TRAIN} writes") from None


def _write_json(path: Path, value: Any) -> None:
    with atomic_files.whole(path) as file:
        file.write(f"{json.dumps(value, indent=2, ensure_ascii=False)}\n".encode())
