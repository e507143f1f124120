"""Jobs of the built-in XGBoost: a folder that stands for /opt/ml, and the program that reads it, as a process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
import xgboost_training

PROGRAMS = Path(xgboost_training.__file__).parent
SECONDS = 120
_METRIC = re.compile(r"\t([\w@.-]+):(\S+)")


@dataclass(frozen=True)
class Job:
    """One host of a training job."""

    root: Path

    @property
    def model(self) -> Path:
        return self.root / "model/xgboost-model"

    @property
    def failure(self) -> str:
        return (self.root / "output/failure").read_text()

    def channel(self, name: str) -> Path:
        """The folder of a channel."""
        folder = self.root / "input/data" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def configure(self, hyperparameters: Mapping[str, Any], content_type: str = "text/csv", **config: Any) -> None:
        """Write what SageMaker's agent writes; the channels are those that have a folder."""
        channels = {
            path.name: {"ContentType": content_type, "TrainingInputMode": "File", **config.get("channel", {})}
            for path in sorted((self.root / "input/data").iterdir())
        }
        resources = {"current_host": "algo-1", "hosts": ["algo-1"], **config.get("resources", {})}
        folder = self.root / "input/config"
        folder.mkdir(parents=True, exist_ok=True)
        texts = {name: str(value) for name, value in hyperparameters.items()}
        (folder / "hyperparameters.json").write_text(json.dumps(texts))
        (folder / "inputdataconfig.json").write_text(json.dumps(channels))
        (folder / "resourceconfig.json").write_text(json.dumps(resources))

    def start(self, program: str = "xgboost_training", **variables: str) -> subprocess.Popen[str]:
        """Start a program of the image."""
        environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(self.root), "OMP_NUM_THREADS": "1", **variables}
        command = [sys.executable, str(PROGRAMS / f"{program}.py")]
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.root
        )

    def run(self, **variables: str) -> Ended:
        """Run the program to its end."""
        with self.start(**variables) as process:
            printed, logged = process.communicate(timeout=SECONDS)
        return Ended(process.returncode, printed, logged)


@dataclass(frozen=True)
class Ended:
    """What a job came to."""

    code: int
    printed: str
    logged: str

    @property
    def metrics(self) -> list[dict[str, float]]:
        """The metrics of each round, as the log has them."""
        lines = [line for line in self.printed.splitlines() if "\t" in line]
        return [{name: float(value) for name, value in _METRIC.findall(line)} for line in lines]


def called_directly(
    parameters: dict[str, Any], rounds: int, train: xgboost.DMatrix, validation: xgboost.DMatrix
) -> tuple[xgboost.Booster, list[dict[str, float]]]:
    """The library itself: its model, and the metrics of each round."""
    log: dict[str, dict[str, list[float]]] = {}
    watched = [(train, "train"), (validation, "validation")]
    model = xgboost.train(parameters, train, rounds, evals=watched, evals_result=log, verbose_eval=False)
    return model, [
        {f"{data}-{name}": values[round_] for data, logs in log.items() for name, values in logs.items()}
        for round_ in range(rounds)
    ]


def drawn(rows: int, columns: int, seed: int) -> Any:
    """Features; one in twenty is missing."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(rows, columns)).astype(np.float32)
    features[generator.random(features.shape) < 0.05] = np.nan
    return features


def write_csv(path: Path, *columns: Any) -> None:
    """Write a table without a header; a missing value is an empty field."""
    table = np.column_stack(columns)
    lines = [",".join("" if np.isnan(value) else repr(float(value)) for value in row) for row in table]
    path.write_text("\n".join(lines) + "\n")


def write_libsvm(path: Path, labels: Any, features: Any, weights: Any = None) -> None:
    """Write rows of index:value; a missing value is left out."""
    lines = []
    for number, (label, row) in enumerate(zip(labels, features, strict=True)):
        head = f"{label:g}" if weights is None else f"{label:g}:{float(weights[number])!r}"
        values = " ".join(f"{index}:{float(value)!r}" for index, value in enumerate(row) if not np.isnan(value))
        lines.append(f"{head} {values}")
    path.write_text("\n".join(lines) + "\n")


def linear(features: Any) -> Any:
    """A number that depends on the features."""
    return np.nan_to_num(features[:, 0]) * 2 + np.sin(3 * np.nan_to_num(features[:, 1]))
