"""The program of a training job in algorithm mode: reads the files of /opt/ml, trains, and reports a failure."""

from __future__ import annotations

import json
import logging
import os
import traceback
from pathlib import Path
from typing import Any

from sagemaker_algorithm_toolkit.exceptions import BaseToolkitError
from sagemaker_xgboost_container.algorithm_mode.train import sagemaker_train
from sagemaker_xgboost_container.algorithm_mode.train_job import Folders

_FORMAT = "[%(asctime)s:%(levelname)s] %(message)s"
_FAILED = 1


def main() -> int:
    """Train, and return the exit code."""
    logging.basicConfig(level=logging.INFO, format=_FORMAT, datefmt="%Y-%m-%d:%H:%M:%S")
    root = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    logging.info("Running XGBoost Sagemaker in algorithm mode")
    try:
        _train(root)
    except Exception as error:  # noqa: BLE001  # anything that ends the training is its failure
        report_failure(root / "output/failure", error)
        return _FAILED
    return 0


def report_failure(path: Path, error: Exception) -> None:
    """Write why the training failed, where SageMaker reads a job's FailureReason.

    AWS's container writes the frames of its traceback first, of which the reason keeps the beginning. They are left out
    here, so that the reason shows the error.
    """
    kind = type(error)
    words = f"framework error: \n{kind.__module__}.{kind.__qualname__}: {error}"
    logging.error("Reporting training FAILURE")
    logging.error(words if isinstance(error, BaseToolkitError) else traceback.format_exc())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(words, encoding="utf-8")


def _train(root: Path) -> None:
    config = root / "input/config"
    resources = _read(config / "resourceconfig.json")
    current_host = resources.get("current_host", "algo-1")
    sagemaker_train(
        _read(config / "hyperparameters.json"),
        _read(config / "inputdataconfig.json"),
        root / "input/data",
        Folders(root / "model", root / "output/data", _checkpoints(root)),
        resources.get("hosts", [current_host]),
        current_host,
    )


def _checkpoints(root: Path) -> str | None:
    """The folder of checkpoints, which is there if the job has a place for them."""
    folder = _read(root / "input/config/checkpointconfig.json").get("LocalPath") or root / "checkpoints"
    return str(folder) if Path(folder).is_dir() else None


def _read(path: Path) -> dict[str, Any]:
    """A file of the configuration; empty if it is not there."""
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return read
