"""The model directory: weights, description, and the code that serves them. train.py writes it.

model.pth     a plain state dict, only tensors
model.json    everything else that is needed to use the weights, and where they come from
history.json  the metrics of every epoch
code/         inference.py and its imports, so that the archive can be served as it is
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

import atomic_files
import contract
import hyperparameters
from errors import ModelError
from networks import Classifier, WithoutMemory, build

WEIGHTS_FILE = "model.pth"
MODEL_FILE = "model.json"
HISTORY_FILE = "history.json"
CODE_FOLDER = contract.CODE_OF_A_MODEL
MAX_IMAGE_SIZE = 4096
_MAX_JSON_SIZE = 64 * 1024**2
_LARGEST_RATIO = 2  # weights may be stored with half the network's precision
SERVING_FILES = (
    *(contract.INFERENCE, "atomic_files.py", "contract.py", "errors.py", "hyperparameters.py", "model_folder.py"),
    *("jpeg_header.py", "networks.py", "pictures.py", "predictor.py", "tensors.py", "torchvision_import.py"),
)


@dataclass(frozen=True)
class ModelDescription:
    """The content of model.json: how to build the network, what its outputs mean, and where it comes from."""

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


def write(
    folder: Path, network: Classifier, description: ModelDescription, history: Sequence[Mapping[str, Any]]
) -> None:
    """Writes the whole directory."""
    state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    with atomic_files.open_atomically(folder / WEIGHTS_FILE) as file:
        torch.save(state, file)
    _write_json(folder / MODEL_FILE, asdict(description))
    _write_json(folder / HISTORY_FILE, list(history))
    code = folder / CODE_FOLDER
    for name in SERVING_FILES:
        with atomic_files.open_atomically(code / name) as file:
            file.write(Path(__file__).with_name(name).read_bytes())


def read(folder: Path) -> tuple[Classifier, ModelDescription]:
    """Returns the network in evaluation mode, and its description; the content of the folder is not trusted."""
    description = read_description(folder)
    path = folder / WEIGHTS_FILE
    _check_weights(path, description)
    network = _network(description)
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch's unpickler can raise any type
        raise ModelError(f"{path} does not have the weights for {MODEL_FILE}: {error}", "train it again") from error
    return network.eval(), description


def _network(description: ModelDescription) -> Classifier:
    return build(
        description.architecture,
        len(description.classes),
        head_width=description.head_width,
        dropout=description.dropout,
        image_size=description.image_size,
    )


def _check_weights(path: Path, description: ModelDescription) -> None:
    """Compares the size of the weights with that of the network, before the one is read and the other is built.

    A few lines of JSON can name a network of gigabytes, and a packed or an old file of weights can grow to any size.
    """
    try:
        with zipfile.ZipFile(path) as file:
            is_plain = all(info.compress_type == zipfile.ZIP_STORED for info in file.infolist())
        size = path.stat().st_size
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} does not have the weights for {MODEL_FILE}: {error}", "train it again") from None
    if not is_plain:
        raise ModelError(f"{path} does not have the weights for {MODEL_FILE}: it is compressed", "train it again")
    with WithoutMemory():
        network = _network(description)
    needed = sum(value.numel() * value.element_size() for value in network.state_dict().values())
    if needed > _LARGEST_RATIO * size:
        reason = f"it has {size} bytes, and the network needs {needed}"
        raise ModelError(f"{path} does not have the weights for {MODEL_FILE}: {reason}", "train it again")


def read_description(folder: Path) -> ModelDescription:
    """Reads model.json and checks that it is plausible."""
    path = folder / MODEL_FILE
    try:
        document = _read_json(path)
        lists = {name: tuple(document[name]) for name in ("classes", "labels", "mean", "std")}
        description = ModelDescription(**{**document, **lists})
        problem = next((message for message, is_met in _checks(description) if not is_met), None)
    except (KeyError, TypeError) as error:
        raise ModelError(f"{path} cannot be read: {error!r}", f"use the file that {contract.TRAIN} writes") from None
    if problem:
        raise ModelError(f"{path}: {problem}", f"use the file that {contract.TRAIN} writes")
    return description


def read_history(folder: Path) -> list[dict[str, Any]]:
    """Reads the metrics of every epoch; an empty list if there is no file."""
    path = folder / HISTORY_FILE
    history = _read_json(path) if path.is_file() else []
    if not isinstance(history, list) or not all(isinstance(epoch, dict) for epoch in history):
        raise ModelError(f"{path} is not a list of epochs", f"use the file that {contract.TRAIN} writes")
    return history


def _checks(description: ModelDescription) -> list[tuple[str, bool]]:
    """Returns what must hold before the network is built: a size from a file must not fill the memory."""
    names = (*description.classes, *description.labels)
    colors = (*description.mean, *description.std)
    return [
        ("its architecture is not a name", isinstance(description.architecture, str)),
        ("its classes and labels are not names", all(isinstance(name, str) for name in names)),
        ("it has no classes, or a different number of labels", 0 < len(description.classes) == len(description.labels)),
        ("its image size is not valid", _within(description.image_size, int, 1, MAX_IMAGE_SIZE)),
        ("its head width is not valid", _within(description.head_width, *hyperparameters.NUMBERS["head_width"])),
        ("its dropout is not valid", _within(description.dropout, *hyperparameters.NUMBERS["dropout"])),
        ("its mean and std do not have three values each", len(description.mean) == len(description.std) == 3),
        ("its mean and std are not numbers", all(_within(value, float, -1e6, 1e6) for value in colors)),
        ("its std is not positive", all(value > 0 for value in description.std)),
    ]


def _within(value: object, kind: type, lower: float, upper: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return (kind is float or isinstance(value, int)) and lower <= value <= upper


def _read_json(path: Path) -> Any:
    try:
        if path.stat().st_size > _MAX_JSON_SIZE:
            raise ModelError(
                f"{path} is larger than {_MAX_JSON_SIZE} bytes", f"use the file that {contract.TRAIN} writes"
            )
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read: {error!r}", f"use the file that {contract.TRAIN} writes") from None


def _write_json(path: Path, value: Any) -> None:
    with atomic_files.open_atomically(path) as file:
        file.write(f"{json.dumps(value, indent=2, ensure_ascii=False)}\n".encode())
