"""A training job of the built-in algorithm: its hyperparameters and channels, its data, and its hosts."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xgboost

from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_xgboost_container import distributed
from sagemaker_xgboost_container.algorithm_mode import channel_validation, hyperparameter_validation
from sagemaker_xgboost_container.algorithm_mode.train_job import Data, Folders, train_job
from sagemaker_xgboost_container.data_utils import (
    check_data_redundancy,
    get_content_type,
    get_dmatrix,
    get_size,
    validate_data_file_path,
)


def sagemaker_train(
    train_config: Mapping[str, str],
    data_config: Mapping[str, Mapping[str, Any]],
    data_folder: Path,
    folders: Folders,
    hosts: Sequence[str],
    current_host: str,
) -> None:
    """Train as one of the hosts; the folder of data has one of each channel."""
    values = hyperparameter_validation.validated(train_config)
    channels = channel_validation.validated(data_config)
    data = _data(values, channels, data_folder)
    paths = {name: data_folder / name for name in channels}
    if len(hosts) == 1:
        if data.train is None:
            raise UserError(f"No data in training channel path {paths['train']}")
        if "validation" in channels and data.validation is None:
            raise UserError(f"No data in validation channel path {paths['validation']}")
        logging.info("Single node training.")
        train_job(values, data, folders, is_master=True)
        return
    logging.info("Distributed node training with %s hosts: %s", len(hosts), hosts)
    distributed.wait_hostname_resolution(hosts)
    lacking = [name for name in ("train", "validation") if name in channels and getattr(data, name) is None]
    for name in lacking:
        logging.warning(
            "Host %s does not have data in the channel %s. Will broadcast to cluster and this host will not be used in "
            "distributed training. Please divide the data across instances properly.",
            current_host,
            name,
        )
    arguments = {"values": values, "data": data, "folders": folders}
    distributed.rabit_run(train_job, arguments, not lacking, hosts, current_host, update_rabit_args=True)


def _data(values: Mapping[str, Any], channels: Mapping[str, Mapping[str, Any]], folder: Path) -> Data:
    """The data of the channels; both are read as the training channel says."""
    kind = get_content_type(channels["train"]["ContentType"])
    is_pipe = channels["train"].get("TrainingInputMode") == "Pipe"
    train, validation = folder / "train", folder / "validation"
    if "validation" in channels and train.is_dir() and validation.is_dir() and not is_pipe:
        check_data_redundancy(train, validation)
    read = {
        name: _matrix(folder / name, kind, values.get("csv_weights", 0), is_pipe=is_pipe)
        for name in ("train", "validation")
        if name in channels
    }
    both = read["train"]
    if "_kfold" in values and read.get("validation") is not None:
        logging.info("Read both train and validation data into one DMatrix")
        both = get_dmatrix([train, validation], kind, values.get("csv_weights", 0))
    return Data(read["train"], read.get("validation"), both)


def _matrix(path: Path, kind: str, csv_weights: int, *, is_pipe: bool) -> xgboost.DMatrix | None:
    """What a channel has; None if it has nothing."""
    if not get_size(path, is_pipe):
        return None
    if not is_pipe:
        validate_data_file_path(path, kind)
    return get_dmatrix(path, kind, csv_weights, is_pipe)
