"""Where train.py reads and writes: paths from flags, from SageMaker's variables, or by default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import contract
from errors import InvalidFlagError

WARM_POOL_VARIABLE = "SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY"
_FEATURES = "features"
_VALIDATION_FOLDERS = ("validation", "valid", "val")


def channel_variable(name: str) -> str:
    """Returns the variable in which SageMaker gives the path of a channel."""
    return f"SM_CHANNEL_{name.upper()}"


def from_flag_or_variable(
    flags: Mapping[str, Any], flag: str, environ: Mapping[str, str], variable: str
) -> Path | None:
    """Returns the path from a flag, or else from a variable."""
    path_found = flags[flag] or environ.get(variable)
    return Path(path_found) if path_found else None


def image_folders(flags: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[Path, Path]:
    """Returns the folders of the training and validation images."""
    train = from_flag_or_variable(flags, "train", environ, channel_variable(contract.TRAINING))
    validation = from_flag_or_variable(flags, "validation", environ, channel_variable(contract.VALIDATION))
    all_in_one = _all_in_one(flags, environ)
    if all_in_one is not None:
        path_found = next(
            (all_in_one / name for name in _VALIDATION_FOLDERS if (all_in_one / name).is_dir()),
            all_in_one / "validation",
        )
        train, validation = flags["train"] or all_in_one / "train", flags["validation"] or path_found
    if train is None or validation is None:
        raise InvalidFlagError("neither --data nor --train and --validation is given", "say where the images are")
    for path in (train, validation):
        if not path.is_dir():
            raise InvalidFlagError(f"{path} is not a folder", "give one with a folder of images for every class")
    return train, validation


def dataset_folder(flags: Mapping[str, Any], environ: Mapping[str, str], train: Path) -> Path | None:
    """Returns the folder of dataset.json; None for images that were not prepared."""
    defaults = [train.parent / contract.DATASET, train.parent]
    data_flag = flags["data"] or flags["train"]
    explicit = flags["dataset"] or (
        None if data_flag else from_flag_or_variable(flags, "dataset", environ, channel_variable(contract.DATASET))
    )
    places = [explicit] if explicit else defaults
    path_found = next((path for path in places if (path / contract.DATASET_FILE).is_file()), None)
    if explicit and not path_found:
        raise InvalidFlagError(
            f"{explicit} has no {contract.DATASET_FILE}", f"give the folder that {contract.PREPARE} wrote"
        )
    return path_found


def weights_file(weights: str, environ: Mapping[str, str]) -> Path | None:
    """Returns the file of weights; None if the value is one of torchvision's names."""
    path = Path(environ.get(channel_variable(contract.WEIGHTS), "") if weights == contract.WEIGHTS_CHANNEL else weights)
    if weights != contract.WEIGHTS_CHANNEL and not path.exists():
        if "/" in weights or "." in weights:
            raise InvalidFlagError(f"--weights {weights} is not a file", "give one, or a name like DEFAULT, or none")
        return None
    files = sorted(path for path in path.rglob("*") if path.is_file()) if path.is_dir() else [path]
    if len(files) != 1 or not files[0].is_file():
        raise InvalidFlagError(f"--weights {weights}: {path} holds {len(files)} files", "put one state dict there")
    return files[0]


def checkpoint_folder(flags: Mapping[str, Any]) -> Path | None:
    """Returns the folder for checkpoints, from the flag or the container."""
    container_folder = Path(contract.CHECKPOINTS)
    path_found: Path | None = flags["checkpoint_dir"] or (container_folder if container_folder.is_dir() else None)
    return path_found


def cache_from_flag(flags: Mapping[str, Any]) -> Path | None:
    """Returns the cache folder from the flag; the word none means no cache."""
    path_found: Path | None = flags["cache_dir"]
    return None if path_found == Path(contract.WEIGHTS_NONE) else path_found


def default_cache(environ: Mapping[str, str]) -> Path:
    """Returns the default folder for cached features.

    A warm pool has a folder that its next job can read. A job with checkpoints in S3 uses their folder: there it finds
    features of other jobs, and its own from before its machine was taken away. Otherwise trainings on one machine share
    a temporary folder.
    """
    if environ.get(WARM_POOL_VARIABLE):
        return Path(environ[WARM_POOL_VARIABLE]) / _FEATURES
    if Path(contract.CHECKPOINTS).is_dir():
        return Path(contract.CHECKPOINTS) / _FEATURES
    return Path(gettempdir()) / f"pedigree-{_FEATURES}-{os.geteuid()}"


def check_writable(flag: str, path: Path) -> Path:
    """Returns a folder that can be written to or created; an error now is better than after hours of training."""
    existing = next(ancestor for ancestor in (path, *path.absolute().parents) if _exists(ancestor))
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise InvalidFlagError(f"--{flag} {path}: {existing} is not writable", "name another folder")
    return path


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return False


def _all_in_one(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Path | None:
    """Returns the folder with all splits: from the flag, or the course project's channel if ours are not set."""
    own_channels = (contract.TRAINING, contract.VALIDATION, contract.DATASET)
    if flags["data"] or any(flags[name] or environ.get(channel_variable(name)) for name in own_channels):
        path_found: Path | None = flags["data"]
        return path_found
    return from_flag_or_variable(flags, "data", environ, channel_variable(contract.ALL_IN_ONE))
