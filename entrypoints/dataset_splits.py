"""The images that a training learns from and is measured on, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dataset
import picture_dataset
import split
from options import Options
from split import Split

_USUAL_IMAGE_SIZE = 224


@dataclass(frozen=True)
class Material:
    """Two splits of one data set."""

    train: Split
    validation: Split
    classes: tuple[str, ...]
    labels: tuple[str, ...]
    image_size: int
    sha256: str

    def identity(self) -> dict[str, Any]:
        """What distinguishes it from all others, as far as a training goes."""
        paths = (*self.train.paths, *self.validation.paths)
        return {
            "classes": self.classes,
            "data": self.sha256 or [f"{path.parent.name}/{path.name} {path.stat().st_size}" for path in paths],
            "image_size": self.image_size,
        }


def find(options: Options) -> Material:
    """The images, and what dataset.json says of them where there is one."""
    described = dataset.read(options.dataset) if options.dataset else None
    classes = described.classes if described else picture_dataset.class_names(options.train)
    return Material(
        train=split.find(options.train, classes),
        validation=split.find(options.validation, classes),
        classes=classes,
        labels=described.labels if described else tuple(dataset.label(name) for name in classes),
        image_size=options.image_size or (described.image_size if described else _USUAL_IMAGE_SIZE),
        sha256=described.sha256 if described else "",
    )
