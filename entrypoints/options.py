"""The options of train.py: flags, in either spelling, override what SageMaker puts into the environment.

With flags nothing from the environment is needed, so the same script trains in a container, on a rented machine and on
a laptop.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import backends
import contract
import hyperparameters
import paths
from errors import InvalidFlagError
from flags import Parser
from hyperparameters import Hyperparameters
from model_folder import MAX_IMAGE_SIZE
from process_group import PATIENCE

_CHOICES = {name: choices for name, choices in hyperparameters.WORDS.items() if choices}
_UNCHANGED_FLAGS = ("checkpoint_minutes", "image_size", "workers", "device", "backend", "wait_minutes", "compiled")


@dataclass(frozen=True)
class TrainingOptions:
    """Everything that defines a training."""

    hyperparameters: Hyperparameters
    train: Path
    validation: Path
    dataset: Path | None
    weights_file: Path | None
    model_dir: Path
    output_dir: Path | None
    checkpoint_dir: Path | None
    checkpoint_minutes: float
    cache_dir: Path | None
    scratch_dir: Path
    image_size: int | None
    workers: int | None
    device: str
    backend: str
    wait_minutes: float
    compiled: bool


def parse(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> TrainingOptions:
    """Parses a command line and an environment."""
    flags = vars(_parser().parse_args([_normalize_flag(word) for word in arguments]))
    values = {name: _check_bounds(name, flags[name]) for name in hyperparameters.NAMES}
    train, validation = paths.image_folders(flags, environ)
    return TrainingOptions(
        hyperparameters=Hyperparameters(**values),
        train=train,
        validation=validation,
        dataset=paths.dataset_folder(flags, environ, train),
        weights_file=paths.weights_file(flags["weights"], environ),
        **_output_folders(flags, environ),
        **{name: flags[name] for name in _UNCHANGED_FLAGS},
    )


def _output_folders(flags: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Returns the folders to write to; those that a user named must be writable."""
    folders = {
        "cache_dir": paths.cache_from_flag(flags),
        "scratch_dir": flags["scratch_dir"],
        "model_dir": paths.from_flag_or_variable(flags, "model_dir", environ, "SM_MODEL_DIR") or Path("model"),
        "output_dir": paths.from_flag_or_variable(flags, "output_dir", environ, "SM_OUTPUT_DATA_DIR"),
        "checkpoint_dir": paths.checkpoint_folder(flags),
    }
    checked = {name: place and paths.check_writable(_flag_name(name), place) for name, place in folders.items()}
    # The user did not ask for the default folder: if it is not writable, nothing is kept.
    return checked | ({"cache_dir": paths.default_cache(environ)} if flags["cache_dir"] is None else {})


def _boolean(word: str) -> bool:
    """Parses true and false, which SageMaker's toolkit passes on as text."""
    try:
        return {"true": True, "false": False}[word.lower()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"{word} is neither true nor false") from None


def _number_between(kind: Callable[[str], float], minimum: float, maximum: float) -> Callable[[str], float]:
    """Returns a parser for numbers between two bounds."""

    def read(word: str) -> float:
        try:
            value = kind(word)
        except ValueError:
            value = math.nan
        if not minimum <= value <= maximum:
            raise argparse.ArgumentTypeError(f"{word} is out of range; give {minimum:g} to {maximum:g}")
        return value

    return read


def _parser() -> argparse.ArgumentParser:
    parser = Parser(contract.TRAIN, "Train a classifier of torchvision on folders of images.")
    for add in (_add_data, _add_results, _add_hyperparameters, _add_machine):
        add(parser)
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("data")
    all_in_one = paths.channel_variable(contract.ALL_IN_ONE)
    group.add_argument(
        "--data",
        type=Path,
        help=f"a folder with train/ and validation/ (or valid/) by class; default ${all_in_one}, unless others are set",
    )
    for name, description in (
        (contract.TRAINING, "the training images"),
        (contract.VALIDATION, "the validation images"),
        (contract.DATASET, "the folder of dataset.json"),
    ):
        group.add_argument(f"--{name}", type=Path, help=f"{description}; default ${paths.channel_variable(name)}")
    group.add_argument(
        "--image-size",
        type=_number_between(int, 1, MAX_IMAGE_SIZE),
        help="side of the pictures in pixels; default from dataset.json, or 224",
    )


def _add_results(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("results")
    group.add_argument("--model-dir", type=Path, help="where the model is written; default $SM_MODEL_DIR, or model/")
    group.add_argument("--output-dir", type=Path, help="where history.json is copied to; default $SM_OUTPUT_DATA_DIR")
    group.add_argument(
        "--checkpoint-dir", type=Path, help="where checkpoints are saved at every epoch, and resumed from"
    )
    group.add_argument(
        "--checkpoint-minutes",
        type=_number_between(float, 0, 1440),
        default=5.0,
        help="save during an epoch, too, if the last checkpoint is older; 0 is never; default %(default)g",
    )
    group.add_argument(
        "--cache-dir",
        type=Path,
        help="cache for features of a frozen backbone, using up to a quarter of the free space; "
        f"none disables it; default ${paths.WARM_POOL_VARIABLE}, or a folder in {gettempdir()}",
    )
    group.add_argument(
        "--scratch-dir",
        type=Path,
        default=Path(gettempdir()),
        help="temporary files for features that do not fit into memory; default %(default)s",
    )


def _add_hyperparameters(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how to train")
    for name, value in hyperparameters.DEFAULTS.items():
        kind = hyperparameters.NUMBERS[name][0] if name in hyperparameters.NUMBERS else str
        group.add_argument(
            f"--{_flag_name(name)}", type=kind, default=value, choices=_CHOICES.get(name), help=_help_text(name)
        )


def _add_machine(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("machine")
    group.add_argument(
        "--workers", type=_number_between(int, 0, 1024), help="processes that decode pictures; default by the machine"
    )
    group.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    group.add_argument("--backend", default="auto", choices=backends.NAMES, help="what connects several processes")
    group.add_argument(
        "--wait-minutes",
        type=_number_between(float, 0.01, 1440),
        default=PATIENCE / 60,
        help="how long a process waits for another before it gives up; default %(default)g",
    )
    group.add_argument(
        "--compile",
        dest="compiled",
        nargs="?",
        type=_boolean,
        const=True,
        default=False,
        help="compile the network first; for --layers all",
    )


def _help_text(name: str) -> str:
    if name not in hyperparameters.NUMBERS:
        return f"{hyperparameters.MEANINGS[name]}; default %(default)s"
    _, minimum, maximum = hyperparameters.NUMBERS[name]
    return f"{hyperparameters.MEANINGS[name]}, {minimum:g} to {maximum:g}; default %(default)s"


def _normalize_flag(word: str) -> str:
    """Returns a flag in argparse's spelling: --batch_size becomes --batch-size."""
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value if word.startswith("--") else word


def _flag_name(name: str) -> str:
    return name.replace("_", "-")


def _check_bounds(name: str, value: Any) -> Any:
    if name in hyperparameters.NUMBERS:
        _, minimum, maximum = hyperparameters.NUMBERS[name]
        if not minimum <= value <= maximum:
            raise InvalidFlagError(f"--{_flag_name(name)} is {value}", f"give {minimum:g} to {maximum:g}")
    return value
