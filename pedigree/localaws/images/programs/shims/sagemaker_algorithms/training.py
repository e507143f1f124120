"""The program of a training job: reads the files of /opt/ml, trains, logs metrics, and reports a failure."""

from __future__ import annotations

import json
import logging
import os
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_algorithms import models, tables
from sagemaker_algorithms.algorithm import Algorithm, MetricValue
from sagemaker_algorithms.catalog import chosen
from sagemaker_algorithms.hyperparameters import Values, validated
from sagemaker_algorithms.tables import Table

_FORMAT = "[%(asctime)s %(levelname)s %(thread)d] %(message)s"


def main() -> int:
    """Train, and return the exit code."""
    logging.basicConfig(level=logging.INFO, format=_FORMAT, datefmt="%m/%d/%Y %H:%M:%S")
    root = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    try:
        _train(chosen(), root)
    except UserError as error:
        logging.error("Customer Error: %s", error)
        return _failed(root, f"ClientError: {error}")
    except Exception as error:  # noqa: BLE001  # anything that ends the training is its failure
        logging.error("Algorithm Error: %s", traceback.format_exc())
        return _failed(root, f"AlgorithmError: {error} (caused by {type(error).__name__})")
    return 0


def _failed(root: Path, reason: str) -> int:
    (root / "output").mkdir(parents=True, exist_ok=True)
    (root / "output/failure").write_text(reason, encoding="utf-8")
    return 1


def _train(algorithm: Algorithm, root: Path) -> None:
    config, begun = root / "input/config", time.monotonic()
    values = validated(_read(config / "hyperparameters.json"), algorithm.hyperparameters)
    logging.info("Final configuration: %s", values)
    channels = _checked(algorithm, _read(config / "inputdataconfig.json"))
    resources = _read(config / "resourceconfig.json")
    host, hosts = resources.get("current_host", "algo-1"), resources.get("hosts", ["algo-1"])
    if len(hosts) > 1:
        raise UserError(f"the local AWS trains {algorithm.title} on one instance; set InstanceCount to 1")
    read = {
        name: _table(algorithm, values, root / "input/data" / name, channel.get("ContentType", ""))
        for name, channel in channels.items()
    }
    model, metrics = algorithm.train(values, read)
    logging.info("#progress_metric: host=%s, completed 100 %% of epochs", host)
    rate = len(read["train"]) / max(time.monotonic() - begun, 1e-9)
    logging.info("#throughput_metric: host=%s, train throughput=%s records/second", host, rate)
    for metric in metrics:
        _log(metric, host)
    models.save(root / "model", model)


def _checked(algorithm: Algorithm, channels: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    if "train" not in channels:
        raise UserError("Missing required channel: train")
    for name, channel in channels.items():
        if name not in algorithm.channels:
            raise UserError(f"Extraneous channel found: {name}; {algorithm.title} has {', '.join(algorithm.channels)}")
        if channel.get("TrainingInputMode") == "Pipe":
            raise UserError(
                f"the local AWS gives {algorithm.title} no pipes; set TrainingInputMode to File or FastFile"
            )
        needed, given = algorithm.distributions.get(name), channel.get("S3DistributionType", "FullyReplicated")
        if needed and given != needed:
            words = f"{algorithm.title} supports S3DataDistributionType {needed} alone for the channel '{name}'"
            raise UserError(f"{words}, and it is {given}")
    return channels


def _table(algorithm: Algorithm, values: Values, folder: Path, content_type: str) -> Table:
    table = tables.read_channel(folder, content_type)
    width, asked = table.features.shape[1], values["feature_dim"]
    if isinstance(asked, int) and width != asked:
        words = f"The channel '{folder.name}' has {width} features in a row, and feature_dim is {asked}"
        hint = "; text/csv has a label in front, if it is not text/csv;label_size=0" if width == asked - 1 else ""
        raise UserError(words + hint)
    if folder.name in algorithm.labelled and table.labels is None:
        raise UserError(f"The channel '{folder.name}' has no labels")
    return table


def _log(metric: MetricValue, host: str) -> None:
    name, value = metric.name, metric.value
    if name.endswith("_objective"):
        logging.info("#quality_metric: host=%s, epoch=0, %s %s <loss>=%s", host, metric.channel, name, value)
    if metric.channel != "train":
        logging.info("#%s_score (%s) : ('%s', %s)", metric.channel, host, name, value)
    logging.info("#quality_metric: host=%s, %s %s <%s>=%s", host, metric.channel, name, metric.kind, value)


def _read(path: Path) -> dict[str, Any]:
    """A file of the configuration; empty if it is not there."""
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return read
