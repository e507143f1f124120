"""Models as files: UBJSON, as the image's newer versions write, or a pickle, as the older ones did."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import xgboost

from sagemaker_xgboost_container.checkpointing import save_model, write_whole
from sagemaker_xgboost_container.image_version import SAVED_MODELS, image_version

_PROTOCOL = 4  # the older images' Python reads no newer one


def write_model(model: xgboost.Booster, path: Path) -> None:
    """Write a model in the form of the image's version, all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if image_version() >= SAVED_MODELS:
        return save_model(model, path)
    return write_whole(path, pickle.dumps(model, protocol=_PROTOCOL))


def read_model(path: Path) -> Any:
    """A model of either form, or what a script pickled."""
    try:
        with path.open("rb") as file:
            return pickle.load(file)  # noqa: S301  # the user's own model
    except Exception as unpickled:  # noqa: BLE001  # a file that is no pickle raises anything
        booster = xgboost.Booster()
        try:
            booster.load_model(bytearray(path.read_bytes()))
        except xgboost.core.XGBoostError as unread:
            raise RuntimeError(
                f"Model {path} cannot be loaded:\nPickle load error={unpickled}\nXGB load model error={unread}"
            ) from unread
        return booster
