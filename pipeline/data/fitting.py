"""Chooses settings for a data set from the number of its pictures and classes, and from the size of the pictures.

Pure: counts in, settings and the reasons for them out. They are meant for this machine's processors, which train a
small network in minutes; an account keeps its own settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from entrypoints import contract
from pipeline.data.inspection import Inspection

_SIDES = (32, 48, 64)
_SMALL_SIDE = 48  # up to here, pictures are mostly signs and symbols
_MOSTLY_GRAY = 0.9
_PASSES = 12_000  # pictures that one training sees, over all epochs
_EPOCHS = (3, 40)
_LONG_TRAINING = 30_000
_LARGE_CLASS, _SMALL_CLASS = 2_000, 40
_PICTURES_PER_SECOND = {32: 250, 48: 160, 64: 100}  # of ResNet-18 on two cores
_STARTING_SECONDS = 60


@dataclass(frozen=True)
class FittedSettings:
    """Settings as a tree, and why they are so, in a few lines."""

    values: Mapping[str, Any]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Choices:
    shares: tuple[float, float, float]
    training_pictures: int
    side: int
    epochs: int
    batch_size: int
    trials: int
    is_mirrored: bool
    min_crop_area: float
    accuracy: float

    @property
    def minutes(self) -> int:
        """How long all trainings take together: the trials, the best one, and the distributed one."""
        passes = self.training_pictures * self.epochs * (self.trials + 2)
        return max(1, round((passes / _PICTURES_PER_SECOND[self.side] + _STARTING_SECONDS) / 60))


def fit(inspection: Inspection) -> FittedSettings:
    """The settings for a data set, without its address."""
    choices = _choices(inspection)
    return FittedSettings(_values(choices), tuple(_reasons(inspection, choices)))


def _choices(inspection: Inspection) -> _Choices:
    shares = _shares(inspection)
    training = _training_pictures(inspection, shares)
    side = next((side for side in _SIDES if side >= inspection.side), _SIDES[-1])
    epochs = min(_EPOCHS[1], max(_EPOCHS[0], round(_PASSES / training)))
    is_small = inspection.side <= _SMALL_SIDE
    return _Choices(
        shares=shares,
        training_pictures=training,
        side=side,
        epochs=epochs,
        batch_size=_batch_size(training),
        trials=1 if training * epochs > _LONG_TRAINING else 2,
        is_mirrored=not is_small and inspection.gray_share < _MOSTLY_GRAY,
        min_crop_area=0.7 if is_small else 0.35,
        accuracy=_accuracy(inspection),
    )


def _shares(inspection: Inspection) -> tuple[float, float, float]:
    """The shares of training, validation and test: more to test with where a class is small, less where it is large."""
    smallest = min(inspection.classes.values())
    if smallest < _SMALL_CLASS:
        return 0.7, 0.15, 0.15
    return (0.9, 0.05, 0.05) if smallest >= _LARGE_CLASS else (0.8, 0.1, 0.1)


def _training_pictures(inspection: Inspection, shares: tuple[float, float, float]) -> int:
    """How many pictures are left to train on when the splits that the source lacks are taken from them."""
    of_splits = dict(zip((contract.TRAINING, contract.VALIDATION, contract.TEST), shares, strict=True))
    missing = sum(of_splits[split] for split in inspection.missing_splits)
    found = sum(inspection.counts[contract.TRAINING].values())
    return max(1, round(found * of_splits[contract.TRAINING] / (of_splits[contract.TRAINING] + missing)))


def _batch_size(training_pictures: int) -> int:
    """The largest that still makes many steps of an epoch."""
    return next((size for least, size in ((5000, 64), (300, 32), (64, 16)) if training_pictures >= least), 8)


def _accuracy(inspection: Inspection) -> float:
    """What the champion must reach: clearly more than it would by always naming the largest class."""
    classes = inspection.classes.values()
    largest = max(classes) / sum(classes)
    return round(min(1.5 * largest, largest + (1 - largest) / 4), 3)


def _values(choices: _Choices) -> dict[str, Any]:
    train, validation, test = choices.shares
    return {
        "data": {
            "image_size": choices.side,
            "splits": {"train": train, "validation": validation, "test": test},
        },
        "tuning": {
            "strategy": "Bayesian",
            "max_jobs": choices.trials,
            "parallel_jobs": choices.trials,
            "ranges": {
                "learning_rate": {"type": "continuous", "min": 0.0005, "max": 0.004, "scaling": "Logarithmic"},
                "batch_size": False,
            },
        },
        "training": {
            "architecture": "resnet18",
            "weights": contract.WEIGHTS_NONE,
            "layers": "all",
            "epochs": choices.epochs,
            "hyperparameters": {
                "batch_size": choices.batch_size,
                "head_width": 0,
                "patience": 0 if choices.epochs <= 10 else 8,
                "flip_probability": 0.5 if choices.is_mirrored else 0.0,
                "min_crop_area": choices.min_crop_area,
            },
        },
        "quality": {"accuracy": choices.accuracy},
    }


def _reasons(inspection: Inspection, choices: _Choices) -> Iterator[str]:
    classes = inspection.classes
    colors = "mostly gray" if inspection.gray_share >= _MOSTLY_GRAY else "in color"
    yield (
        f"{sum(classes.values())} pictures in {len(classes)} classes, {min(classes.values())} to "
        f"{max(classes.values())} of each; their shorter side is about {inspection.side} pixels, {colors}"
    )
    mirrored = "mirrored at random" if choices.is_mirrored else "never mirrored, as small or gray pictures may be signs"
    yield (
        f"so: {choices.side} pixels, {_split_text(inspection, choices)}, {choices.epochs} epochs of "
        f"{choices.training_pictures} pictures in batches of {choices.batch_size}, {mirrored}"
    )
    yield (
        f"a champion counts from {choices.accuracy:.1%} right (naming the largest class: "
        f"{max(classes.values()) / sum(classes.values()):.1%}); training takes about {_duration(choices.minutes)}"
    )


def _split_text(inspection: Inspection, choices: _Choices) -> str:
    if not inspection.missing_splits:
        return "split as the folders say"
    return "split " + "/".join(f"{share:.0%}" for share in choices.shares)


def _duration(minutes: int) -> str:
    if minutes < 100:
        return "a minute" if minutes == 1 else f"{minutes} minutes"
    return f"{minutes / 60:.0f} hours"
