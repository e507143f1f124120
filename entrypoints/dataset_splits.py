"""The training and validation images of a training, and their description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dataset
import picture_dataset
import split
from options import TrainingOptions
from split import Split

_DEFAULT_IMAGE_SIZE = 224


@dataclass(frozen=True)
class DatasetSplits:
    """Two splits of one data set."""

    train: Split
    validation: Split
    classes: tuple[str, ...]
    labels: tuple[str, ...]
    image_size: int
    sha256: str

    def identity(self) -> dict[str, Any]:
        """Returns what distinguishes this data from other data, for the name of checkpoints."""
        paths = (*self.train.paths, *self.validation.paths)
        return {
            "classes": self.classes,
            "data": self.sha256 or [f"{path.parent.name}/{path.name} {path.stat().st_size}" for path in paths],
            "image_size": self.image_size,
        }


def load(options: TrainingOptions) -> DatasetSplits:
    """Finds the images, and reads dataset.json if there is one."""
    dataset_json = dataset.read(options.dataset) if options.dataset else None
    classes = dataset_json.classes if dataset_json else picture_dataset.class_names(options.train)
    return DatasetSplits(
        train=split.load(options.train, classes),
        validation=split.load(options.validation, classes),
        classes=classes,
        labels=dataset_json.labels if dataset_json else tuple(dataset.readable_name(name) for name in classes),
        image_size=options.image_size or (dataset_json.image_size if dataset_json else _DEFAULT_IMAGE_SIZE),
        sha256=dataset_json.sha256 if dataset_json else "",
    )
