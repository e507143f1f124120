"""What train.py is told: flags in either spelling, which win over what SageMaker puts into the environment.

Nothing is needed from the environment when flags are given, so the same script trains in a container, on a rented
machine and on a laptop.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import contract
from errors import UsageError

_DATASET_VARIABLE = f"SM_CHANNEL_{contract.DATASET.upper()}"
BACKENDS = ("auto", "smddp", "nccl", "gloo")
_CHOICES = {name: choices for name, choices in contract.WORDS.items() if choices}
_VALIDATION_FOLDERS = ("validation", "valid", "val")


@dataclass(frozen=True)
class Hyperparameters:
    """What is learned with: the names are the contract's."""

    architecture: str = "resnet50"
    weights: str = "DEFAULT"
    layers: str = "head"
    precision: str = "auto"
    batch_size: int = 64
    dropout: float = 0.0
    epochs: int = 50
    head_width: int = 128
    label_smoothing: float = 0.0
    learning_rate: float = 0.01
    patience: int = 5
    seed: int = 42
    warmup_epochs: float = 1.0
    weight_decay: float = 0.01


@dataclass(frozen=True)
class Options:
    """Everything that a training is made of."""

    hyperparameters: Hyperparameters
    train: Path
    validation: Path
    dataset: Path | None
    weights_file: Path | None
    model_dir: Path
    output_dir: Path | None
    checkpoint_dir: Path | None
    cache_dir: Path | None
    image_size: int | None
    workers: int | None
    device: str
    backend: str
    compiled: bool


def parse(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> Options:
    """The options of a command line in an environment."""
    flags = vars(_parser().parse_args([_hyphenated(word) for word in arguments]))
    hyperparameters = {name: _checked(name, flags[name]) for name in contract.HYPERPARAMETERS}
    train, validation = _folders(flags, environ)
    return Options(
        hyperparameters=Hyperparameters(**hyperparameters),
        train=train,
        validation=validation,
        dataset=_dataset(flags, environ, train),
        weights_file=_weights_file(flags["weights"], environ),
        model_dir=_path(flags, "model_dir", environ, "SM_MODEL_DIR") or Path("model"),
        output_dir=_path(flags, "output_dir", environ, "SM_OUTPUT_DATA_DIR"),
        checkpoint_dir=_checkpoints(flags),
        **{name: flags[name] for name in ("cache_dir", "image_size", "workers", "device", "backend", "compiled")},
    )


class _Parser(argparse.ArgumentParser):
    """A parser whose mistakes are told as all others are."""

    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong."""
        raise UsageError(f"{message}; --help lists the flags")


def _truth(word: str) -> bool:
    """SageMaker's toolkit hands a JSON true or false on as a word."""
    return {"true": True, "false": False}[word.lower()]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=contract.TRAIN, description="Train a classifier of torchvision on folders of images.", allow_abbrev=False
    )
    data = parser.add_argument_group("data")
    data.add_argument("--data", type=Path, help="a folder with train/ and validation/ (or valid/) by class")
    data.add_argument("--train", type=Path, help="the training images; default $SM_CHANNEL_TRAIN")
    data.add_argument("--validation", type=Path, help="the validation images; default $SM_CHANNEL_VALIDATION")
    data.add_argument("--dataset", type=Path, help="the folder of dataset.json; default $SM_CHANNEL_DATASET")
    data.add_argument("--image-size", type=int, help="the side of the pictures; default that of dataset.json, or 224")
    place = parser.add_argument_group("results")
    place.add_argument("--model-dir", type=Path, help="where the model is written; default $SM_MODEL_DIR, or model/")
    place.add_argument("--output-dir", type=Path, help="where history.json is copied to; default $SM_OUTPUT_DATA_DIR")
    place.add_argument("--checkpoint-dir", type=Path, help="where to resume from, and save to at every epoch")
    place.add_argument("--cache-dir", type=Path, help="where features of a frozen backbone are kept for later runs")
    how = parser.add_argument_group("how to train")
    for name, value in asdict(Hyperparameters()).items():
        kind = contract.NUMBERS[name][0] if name in contract.NUMBERS else str
        flag, choices = f"--{name.replace('_', '-')}", _CHOICES.get(name)
        how.add_argument(flag, type=kind, default=value, choices=choices, help=_help(name))
    machine = parser.add_argument_group("machine")
    machine.add_argument("--workers", type=int, help="processes that decode pictures; default by the machine")
    machine.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    machine.add_argument("--backend", default="auto", choices=BACKENDS, help="what joins several processes")
    machine.add_argument(
        "--compile",
        dest="compiled",
        nargs="?",
        type=_truth,
        const=True,
        default=False,
        help="compile the network first",
    )
    return parser


def _help(name: str) -> str:
    if name not in contract.NUMBERS:
        return "default %(default)s"
    _, least, most = contract.NUMBERS[name]
    return f"{least:g} to {most:g}; default %(default)s"


def _hyphenated(word: str) -> str:
    """A flag in the spelling that the parser knows: --batch_size is --batch-size."""
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value if word.startswith("--") else word


def _checked(name: str, value: Any) -> Any:
    if name in contract.NUMBERS:
        _, least, most = contract.NUMBERS[name]
        if not least <= value <= most:
            raise UsageError(f"--{name.replace('_', '-')} is {value}; give {least:g} to {most:g}")
    return value


def _path(flags: Mapping[str, Any], flag: str, environ: Mapping[str, str], variable: str) -> Path | None:
    found = flags[flag] or environ.get(variable)
    return Path(found) if found else None


def _folders(flags: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[Path, Path]:
    """Where the images for training and for validation are."""
    below: Path | None = flags["data"]
    if below is not None:
        found = next((below / name for name in _VALIDATION_FOLDERS if (below / name).is_dir()), below / "validation")
        places = (flags["train"] or below / "train", flags["validation"] or found)
    else:
        train = _path(flags, "train", environ, f"SM_CHANNEL_{contract.TRAINING.upper()}")
        validation = _path(flags, "validation", environ, f"SM_CHANNEL_{contract.VALIDATION.upper()}")
        if train is None or validation is None:
            raise UsageError("neither --data nor --train and --validation is given; say where the images are")
        places = (train, validation)
    for place in places:
        if not place.is_dir():
            raise UsageError(f"{place} is no folder; give one with a folder of images for every class")
    return places


def _dataset(flags: Mapping[str, Any], environ: Mapping[str, str], train: Path) -> Path | None:
    """The folder of dataset.json, where there is one: images that were not prepared have none."""
    beside = [train.parent / contract.DATASET, train.parent]
    by_flag = flags["data"] or flags["train"]
    told = flags["dataset"] or (None if by_flag else _path(flags, "dataset", environ, _DATASET_VARIABLE))
    places = [told] if told else beside
    found = next((place for place in places if (place / contract.DATASET_FILE).is_file()), None)
    if told and not found:
        raise UsageError(f"{told} has no {contract.DATASET_FILE}; give the folder that {contract.PREPARE} wrote")
    return found


def _weights_file(weights: str, environ: Mapping[str, str]) -> Path | None:
    """The file of weights that is meant, where it is no name of torchvision's."""
    channel = environ.get(f"SM_CHANNEL_{contract.WEIGHTS.upper()}")
    place = Path(channel or "") if weights == contract.WEIGHTS_CHANNEL else Path(weights)
    if weights != contract.WEIGHTS_CHANNEL and not place.exists():
        if "/" in weights or "." in weights:
            raise UsageError(f"--weights {weights} is no file; give one, or a name like DEFAULT, or none")
        return None
    files = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
    if len(files) != 1 or not files[0].is_file():
        raise UsageError(f"--weights {weights}: {place} holds {len(files)} files; put one state dict there")
    return files[0]


def _checkpoints(flags: Mapping[str, Any]) -> Path | None:
    """The folder of checkpoints, where one is given or the container has one."""
    in_container = Path(contract.CHECKPOINTS)
    found: Path | None = flags["checkpoint_dir"] or (in_container if in_container.is_dir() else None)
    return found
