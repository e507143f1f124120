"""What happens after each round of training: a line of metrics, a checkpoint, the model so far, an early end."""

from __future__ import annotations

import logging
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xgboost

from sagemaker_xgboost_container.checkpointing import SaveCheckpointCallBack, load_checkpoint
from sagemaker_xgboost_container.constants.xgb_constants import MODEL_NAME, XGB_MAXIMIZE_METRICS
from sagemaker_xgboost_container.model_files import write_model


@dataclass(frozen=True)
class Rounds:
    """What is asked of the rounds of one training."""

    model_dir: Path
    checkpoint_dir: str | None
    is_master: bool
    model_name: str = MODEL_NAME
    saves_on_termination: bool = False
    early_stopping_rounds: int | None = None
    early_stopping_metric: str | None = None
    has_validation: bool = False

    def begin(self) -> tuple[str | None, int, list[xgboost.callback.TrainingCallback]]:
        """The checkpoint to go on from, the rounds that it has, and the callbacks."""
        model, done = load_checkpoint(self.checkpoint_dir)
        if model:
            logging.info("Checkpoint loaded from %s", model)
            logging.info("Resuming from iteration %s", done)
        return model, done, [*self._writers(done), *self._stoppers()]

    def _writers(self, done: int) -> list[xgboost.callback.TrainingCallback]:
        if not self.is_master:
            return []
        callbacks: list[xgboost.callback.TrainingCallback] = []
        if self.checkpoint_dir:
            callbacks.append(SaveCheckpointCallBack(self.checkpoint_dir, done))
        if self.saves_on_termination:
            callbacks.append(SaveIntermediateModel(self.model_dir / self.model_name))
            end_with_the_model_alone(self.model_dir)
        # Last: who reads of a round finds its files.
        return [*callbacks, MetricLines(done)]

    def _stoppers(self) -> list[xgboost.callback.TrainingCallback]:
        if not self.early_stopping_rounds:
            return []
        if not (self.has_validation and self.early_stopping_metric):
            logging.warning("early_stopping_rounds has no effect without a validation channel and an eval_metric")
            return []
        return [
            xgboost.callback.EarlyStopping(
                rounds=self.early_stopping_rounds,
                data_name="validation",
                metric_name=self.early_stopping_metric,
                maximize=self.early_stopping_metric.partition("@")[0] in XGB_MAXIMIZE_METRICS,
                save_best=self.is_master,
            )
        ]


class MetricLines(xgboost.callback.TrainingCallback):
    """Prints `[0]<tab>train-rmse:0.95<tab>validation-rmse:0.97` after each round."""

    def __init__(self, done: int) -> None:
        super().__init__()
        self.done = done

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002  # xgboost's
        """Print the line."""
        print_metrics(
            self.done + epoch,
            {f"{data}-{name}": log[-1] for data, logs in evals_log.items() for name, log in logs.items()},
        )
        return False


def print_metrics(round_: int, values: dict[str, float]) -> None:
    """Print a line of metrics with the digits of xgboost."""
    sys.stdout.write("\t".join([f"[{round_}]", *(f"{name}:{value:.5f}" for name, value in values.items())]) + "\n")
    sys.stdout.flush()


class SaveIntermediateModel(xgboost.callback.TrainingCallback):
    """Writes the model after each round, so that a search can end the training and keep it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002  # xgboost's
        """Write it."""
        write_model(model, self.path)
        return False


def end_with_the_model_alone(model_dir: Path) -> None:
    """On SIGTERM, remove what is no model from its folder, and end."""

    def end(*_: object) -> None:
        for path in model_dir.iterdir():
            if path.is_file() and (not path.name.startswith(MODEL_NAME) or path.name.endswith(".sagemaker-ignore")):
                path.unlink(missing_ok=True)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
