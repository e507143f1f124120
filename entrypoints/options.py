"""What train.py is told: flags in either spelling, which win over what SageMaker puts into the environment.

Nothing is needed from the environment when flags are given, so the same script trains in a container, on a rented
machine and on a laptop.
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
from errors import UsageError
from flags import Parser
from hyperparameters import Hyperparameters
from model_folder import LARGEST_IMAGE
from process_group import PATIENCE

_CHOICES = {name: choices for name, choices in hyperparameters.WORDS.items() if choices}
_PLAIN = ("checkpoint_minutes", "image_size", "workers", "device", "backend", "wait_minutes", "compiled")


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
    checkpoint_minutes: float
    cache_dir: Path | None
    scratch_dir: Path
    image_size: int | None
    workers: int | None
    device: str
    backend: str
    wait_minutes: float
    compiled: bool


def parse(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> Options:
    """The options of a command line in an environment."""
    flags = vars(_parser().parse_args([_hyphenated(word) for word in arguments]))
    values = {name: _checked(name, flags[name]) for name in hyperparameters.NAMES}
    train, validation = paths.folders(flags, environ)
    return Options(
        hyperparameters=Hyperparameters(**values),
        train=train,
        validation=validation,
        dataset=paths.dataset(flags, environ, train),
        weights_file=paths.weights_file(flags["weights"], environ),
        **_written(flags, environ),
        **{name: flags[name] for name in _PLAIN},
    )


def _written(flags: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The folders that are written to, as far as there are any."""
    found = {
        "cache_dir": paths.named_cache(flags),
        "scratch_dir": flags["scratch_dir"],
        "model_dir": paths.told(flags, "model_dir", environ, "SM_MODEL_DIR") or Path("model"),
        "output_dir": paths.told(flags, "output_dir", environ, "SM_OUTPUT_DATA_DIR"),
        "checkpoint_dir": paths.checkpoints(flags),
    }
    checked = {name: place and paths.writable(_spelled(name), place) for name, place in found.items()}
    # Nobody has asked for the usual place: where it cannot be written to, nothing is kept.
    return checked | ({"cache_dir": paths.usual_cache(environ)} if flags["cache_dir"] is None else {})


def _truth(word: str) -> bool:
    """SageMaker's toolkit hands a JSON true or false on as a word."""
    try:
        return {"true": True, "false": False}[word.lower()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"{word} is neither true nor false") from None


def _number(kind: Callable[[str], float], least: float, most: float) -> Callable[[str], float]:
    """What reads a number between two others."""

    def read(word: str) -> float:
        try:
            value = kind(word)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{word} is none that can be used; give {least:g} to {most:g}")
        return value

    return read


def _parser() -> argparse.ArgumentParser:
    parser = Parser(contract.TRAIN, "Train a classifier of torchvision on folders of images.")
    for add in (_add_data, _add_results, _add_hyperparameters, _add_machine):
        add(parser)
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("data")
    everything = paths.channel(contract.ALL_IN_ONE)
    group.add_argument(
        "--data",
        type=Path,
        help=f"a folder with train/ and validation/ (or valid/) by class; default ${everything}, if there is no other",
    )
    for name, what in (
        (contract.TRAINING, "the training images"),
        (contract.VALIDATION, "the validation images"),
        (contract.DATASET, "the folder of dataset.json"),
    ):
        group.add_argument(f"--{name}", type=Path, help=f"{what}; default ${paths.channel(name)}")
    group.add_argument(
        "--image-size",
        type=_number(int, 1, LARGEST_IMAGE),
        help="the side of the pictures; default that of dataset.json, or 224",
    )


def _add_results(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("results")
    group.add_argument("--model-dir", type=Path, help="where the model is written; default $SM_MODEL_DIR, or model/")
    group.add_argument("--output-dir", type=Path, help="where history.json is copied to; default $SM_OUTPUT_DATA_DIR")
    group.add_argument("--checkpoint-dir", type=Path, help="where to resume from, and save to at every epoch")
    group.add_argument(
        "--checkpoint-minutes",
        type=_number(float, 0, 1440),
        default=5.0,
        help="save in the midst of an epoch, too, when the last one is so old; 0 is never; default %(default)g",
    )
    group.add_argument(
        "--cache-dir",
        type=Path,
        help="where features of a frozen backbone are kept for later runs, in a quarter of what is free there; "
        f"none keeps none; default ${paths.WARM_POOL}, or a folder in {gettempdir()}",
    )
    group.add_argument(
        "--scratch-dir",
        type=Path,
        default=Path(gettempdir()),
        help="where features lie that memory does not hold, while they are needed; default %(default)s",
    )


def _add_hyperparameters(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how to train")
    for name, value in hyperparameters.DEFAULTS.items():
        kind = hyperparameters.NUMBERS[name][0] if name in hyperparameters.NUMBERS else str
        group.add_argument(
            f"--{_spelled(name)}", type=kind, default=value, choices=_CHOICES.get(name), help=_help(name)
        )


def _add_machine(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("machine")
    group.add_argument(
        "--workers", type=_number(int, 0, 1024), help="processes that decode pictures; default by the machine"
    )
    group.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    group.add_argument("--backend", default="auto", choices=backends.NAMES, help="what joins several processes")
    group.add_argument(
        "--wait-minutes",
        type=_number(float, 0.01, 1440),
        default=PATIENCE / 60,
        help="how long one process waits for another before it gives up; default %(default)g",
    )
    group.add_argument(
        "--compile",
        dest="compiled",
        nargs="?",
        type=_truth,
        const=True,
        default=False,
        help="compile the network first; for --layers all",
    )


def _help(name: str) -> str:
    if name not in hyperparameters.NUMBERS:
        return f"{hyperparameters.MEANINGS[name]}; default %(default)s"
    _, least, most = hyperparameters.NUMBERS[name]
    return f"{hyperparameters.MEANINGS[name]}, {least:g} to {most:g}; default %(default)s"


def _hyphenated(word: str) -> str:
    """A flag in the spelling that the parser knows: --batch_size is --batch-size."""
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value if word.startswith("--") else word


def _spelled(name: str) -> str:
    """The flag of a name."""
    return name.replace("_", "-")


def _checked(name: str, value: Any) -> Any:
    if name in hyperparameters.NUMBERS:
        _, least, most = hyperparameters.NUMBERS[name]
        if not least <= value <= most:
            raise UsageError(f"--{_spelled(name)} is {value}; give {least:g} to {most:g}")
    return value
