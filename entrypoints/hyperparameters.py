"""The hyperparameters of train.py, each declared once: type, range or choices, default and meaning.

train.py makes its flags from them. The pipeline's settings take ranges and defaults from them. Both sides import this
module, so it imports nothing of either.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TypeVar

LAYERS = ("head", "all")
PRECISIONS = ("auto", "fp32", "fp16", "bf16")

N = TypeVar("N", int, float)


def _number(default: N, least: float, most: float, meaning: str) -> N:
    number: N = field(default=default, metadata={"range": (type(default), least, most), "meaning": meaning})
    return number


def _word(default: str, choices: tuple[str, ...], meaning: str) -> str:
    word: str = field(default=default, metadata={"choices": choices, "meaning": meaning})
    return word


@dataclass(frozen=True)
class Hyperparameters:
    """The hyperparameters of a training."""

    architecture: str = _word("resnet50", (), "a classifier of torchvision by its name, like resnet18")
    weights: str = _word(
        "DEFAULT", (), "initial weights of the backbone: a name of torchvision's, a file, channel, or none"
    )
    layers: str = _word("head", LAYERS, "which layers are trained")
    precision: str = _word("auto", PRECISIONS, "the number format; auto is the fastest that the hardware supports")
    batch_size: int = _number(64, 1, 16_384, "images in a step of one process")
    dropout: float = _number(0.0, 0, 1, "the share of features that are dropped before the last layer")
    epochs: int = _number(50, 1, 10_000, "passes over the training images, at most")
    flip_probability: float = _number(0.5, 0, 1, "the share of the training images that are mirrored")
    head_width: int = _number(128, 0, 16_384, "width of the hidden layer of the head; 0: no hidden layer")
    label_smoothing: float = _number(0.0, 0, 1, "the share of the target that is spread over all classes")
    learning_rate: float = _number(0.01, 1e-9, 100, "the peak rate, after the warm-up")
    min_crop_area: float = _number(0.35, 0.01, 1, "the least share of a training image that a random crop shows")
    patience: int = _number(
        5, 0, 10_000, "epochs without a better validation loss before training stops early; 0: never"
    )
    seed: int = _number(42, 0, 4_294_967_295, "the seed of all random numbers")
    warmup_epochs: float = _number(1.0, 0, 10_000, "epochs of linear warm-up")
    weight_decay: float = _number(0.01, 0, 10, "AdamW's weight decay")


_FIELDS = {hyperparameter.name: hyperparameter for hyperparameter in fields(Hyperparameters)}
NAMES = tuple(_FIELDS)
DEFAULTS = {name: hyperparameter.default for name, hyperparameter in _FIELDS.items()}
_METADATA = {name: hyperparameter.metadata for name, hyperparameter in _FIELDS.items()}
MEANINGS = {name: about["meaning"] for name, about in _METADATA.items()}
# Numbers have a type, a least and a most; words have choices, if they are few.
NUMBERS = {name: about["range"] for name, about in _METADATA.items() if "range" in about}
WORDS = {name: about["choices"] for name, about in _METADATA.items() if "choices" in about}
