"""Where train.py finds what it learns from, and where it writes: told by flags, by SageMaker's variables, or usual."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import contract
from errors import UsageError

WARM_POOL = "SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY"
_FEATURES = "features"
_VALIDATION_FOLDERS = ("validation", "valid", "val")


def channel(name: str) -> str:
    """The variable in which SageMaker says where a channel's files are."""
    return f"SM_CHANNEL_{name.upper()}"


def told(flags: Mapping[str, Any], flag: str, environ: Mapping[str, str], variable: str) -> Path | None:
    """The place that a flag names, or a variable."""
    found = flags[flag] or environ.get(variable)
    return Path(found) if found else None


def folders(flags: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[Path, Path]:
    """Where the images for training and for validation are."""
    train = told(flags, "train", environ, channel(contract.TRAINING))
    validation = told(flags, "validation", environ, channel(contract.VALIDATION))
    below = _all_in_one(flags, environ)
    if below is not None:
        found = next((below / name for name in _VALIDATION_FOLDERS if (below / name).is_dir()), below / "validation")
        train, validation = flags["train"] or below / "train", flags["validation"] or found
    if train is None or validation is None:
        raise UsageError("neither --data nor --train and --validation is given; say where the images are")
    for place in (train, validation):
        if not place.is_dir():
            raise UsageError(f"{place} is no folder; give one with a folder of images for every class")
    return train, validation


def dataset(flags: Mapping[str, Any], environ: Mapping[str, str], train: Path) -> Path | None:
    """The folder of dataset.json, where there is one: images that were not prepared have none."""
    beside = [train.parent / contract.DATASET, train.parent]
    by_flag = flags["data"] or flags["train"]
    named = flags["dataset"] or (None if by_flag else told(flags, "dataset", environ, channel(contract.DATASET)))
    places = [named] if named else beside
    found = next((place for place in places if (place / contract.DATASET_FILE).is_file()), None)
    if named and not found:
        raise UsageError(f"{named} has no {contract.DATASET_FILE}; give the folder that {contract.PREPARE} wrote")
    return found


def weights_file(weights: str, environ: Mapping[str, str]) -> Path | None:
    """The file of weights that is meant, where it is no name of torchvision's."""
    place = Path(environ.get(channel(contract.WEIGHTS), "") if weights == contract.WEIGHTS_CHANNEL else weights)
    if weights != contract.WEIGHTS_CHANNEL and not place.exists():
        if "/" in weights or "." in weights:
            raise UsageError(f"--weights {weights} is no file; give one, or a name like DEFAULT, or none")
        return None
    files = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
    if len(files) != 1 or not files[0].is_file():
        raise UsageError(f"--weights {weights}: {place} holds {len(files)} files; put one state dict there")
    return files[0]


def checkpoints(flags: Mapping[str, Any]) -> Path | None:
    """The folder of checkpoints, where one is given or the container has one."""
    in_container = Path(contract.CHECKPOINTS)
    found: Path | None = flags["checkpoint_dir"] or (in_container if in_container.is_dir() else None)
    return found


def named_cache(flags: Mapping[str, Any]) -> Path | None:
    """The folder for features that a flag names; the word none is one."""
    found: Path | None = flags["cache_dir"]
    return None if found == Path(contract.WEIGHTS_NONE) else found


def usual_cache(environ: Mapping[str, str]) -> Path:
    """Where features are kept by default: where SageMaker keeps anything for the next job, or this machine does.

    A warm pool has a folder that its next job sees. A job whose checkpoints go to S3 finds there what others have put,
    and what it had put itself before its machine was taken away. Else trainings on one machine have them together.
    """
    if environ.get(WARM_POOL):
        return Path(environ[WARM_POOL]) / _FEATURES
    if Path(contract.CHECKPOINTS).is_dir():
        return Path(contract.CHECKPOINTS) / _FEATURES
    return Path(gettempdir()) / f"pedigree-{_FEATURES}-{os.geteuid()}"


def writable(flag: str, place: Path) -> Path:
    """A folder that can be written to, or made: better to know that before hours of training than after."""
    there = next(one for one in (place, *place.absolute().parents) if _exists(one))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"--{flag} {place}: nothing can be written to {there}; name another folder")
    return place


def _exists(place: Path) -> bool:
    try:
        return place.exists()
    except PermissionError:
        return False


def _all_in_one(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Path | None:
    """The one folder of everything: named, or the course project's one channel where ours are not."""
    ours = (contract.TRAINING, contract.VALIDATION, contract.DATASET)
    if flags["data"] or any(flags[name] or environ.get(channel(name)) for name in ours):
        found: Path | None = flags["data"]
        return found
    return told(flags, "data", environ, channel(contract.ALL_IN_ONE))
