"""The file of a model: numpy's arrays. AWS's own containers write files of MXNet, which only they can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sagemaker_algorithms.algorithm import Model

FILE = "model_algo-1"


def save(folder: Path, model: Model) -> None:
    """Write a model."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in model.items()}
    with (folder / FILE).open("wb") as file:
        np.savez(file, **arrays)


def load(folder: Path) -> Model:
    """Read a model."""
    if not (folder / FILE).is_file():
        raise FileNotFoundError(
            f"there is no {FILE} in {folder}; the archive needs one that a training has written here"
        )
    with np.load(folder / FILE, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
