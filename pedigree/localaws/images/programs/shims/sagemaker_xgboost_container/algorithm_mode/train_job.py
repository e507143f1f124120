"""The training itself, on one host: parameters and data in, a model file out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xgboost

from sagemaker_algorithm_toolkit.exceptions import AlgorithmError, UserError
from sagemaker_xgboost_container.algorithm_mode.cross_validation import cross_validated
from sagemaker_xgboost_container.algorithm_mode.hyperparameter_validation import DEFAULT_OBJECTIVE
from sagemaker_xgboost_container.callback import Rounds
from sagemaker_xgboost_container.constants.xgb_constants import CUSTOMER_ERRORS, MODEL_NAME
from sagemaker_xgboost_container.metrics.custom_metrics import configure_feval, get_custom_metrics
from sagemaker_xgboost_container.model_files import write_model

# What the container reads itself, or what its older libraries read; xgboost would warn that it does not know them.
_NOT_FOR_THE_LIBRARY = (
    "num_round",
    "csv_weights",
    "early_stopping_rounds",
    "eval_metric",
    "save_model_on_termination",
    "_kfold",
    "_num_cv_round",
    "_tuning_objective_metric",
    "use_dask_gpu_training",
    "silent",
    "dsplit",
    "predictor",
    "sketch_eps",
    "lambda_bias",
    "deterministic_histogram",
    "prob_buffer_row",
)


@dataclass(frozen=True)
class Folders:
    """Where the model, the checkpoints and other output go; no checkpoints are written if there is no folder."""

    model: Path
    output: Path
    checkpoints: str | None = None


@dataclass(frozen=True)
class Data:
    """What is trained on, what the model is evaluated on, and both together for cross validation."""

    train: Any
    validation: Any = None
    both: Any = None


def train_job(values: Mapping[str, Any], data: Data, folders: Folders, *, is_master: bool) -> None:
    """Train and, on the first host, write the model."""
    logging.info("Train matrix has %s rows and %s columns", data.train.num_row(), data.train.num_col())
    if data.validation is not None:
        logging.info("Validation matrix has %s rows", data.validation.num_row())
    metrics, metric_function, stopping = evaluation(values)
    parameters = library_parameters(values, metrics)
    rounds = Rounds(
        folders.model,
        folders.checkpoints,
        is_master,
        saves_on_termination=values.get("save_model_on_termination") == "true",
        early_stopping_rounds=values.get("early_stopping_rounds"),
        early_stopping_metric=stopping,
        has_validation=data.validation is not None,
    )
    try:
        if "_kfold" in values:
            models = cross_validated(parameters, values, data.both, rounds, metric_function, folders.output)
        else:
            models = {MODEL_NAME: _trained(parameters, values["num_round"], data, rounds, metric_function)}
    except Exception as error:
        words = str(error).partition("\nStack trace:")[0]
        if any(known in words for known in CUSTOMER_ERRORS):
            raise UserError(words) from error
        raise AlgorithmError(f"XGB train call failed with exception:\n {words}") from error
    if is_master:
        for name, model in models.items():
            write_model(model, folders.model / name)


def _trained(
    parameters: dict[str, Any], count: int, data: Data, rounds: Rounds, metric_function: Any
) -> xgboost.Booster:
    checkpoint, done, callbacks = rounds.begin()
    watched = [(data.train, "train")] + ([(data.validation, "validation")] if data.validation is not None else [])
    return xgboost.train(
        parameters,
        data.train,
        num_boost_round=max(0, count - done),
        evals=watched,
        custom_metric=metric_function,
        callbacks=callbacks,
        xgb_model=checkpoint,
        verbose_eval=False,
    )


def evaluation(values: Mapping[str, Any]) -> tuple[list[str], Any, str | None]:
    """The library's metrics, a function for the others, and the metric that can end the training early."""
    chosen = list(values.get("eval_metric", []))
    tuned = values.get("_tuning_objective_metric")
    stopping = chosen[-1] if chosen else None
    if tuned:
        stopping = tuned.partition(":")[2]
        logging.info("Setting up HPO optimized metric to be : %s", stopping)
        # The same order on all hosts.
        chosen = sorted({*chosen, stopping}) if chosen else [stopping]
    others = get_custom_metrics(chosen)
    function = configure_feval(others, values.get("objective", DEFAULT_OBJECTIVE)) if others else None
    return [name for name in chosen if name not in others], function, stopping


def library_parameters(values: Mapping[str, Any], metrics: list[str]) -> dict[str, Any]:
    """The parameters of xgboost.train."""
    parameters = {name: value for name, value in values.items() if name not in _NOT_FOR_THE_LIBRARY}
    if metrics:
        parameters["eval_metric"] = metrics
    if "updater" in parameters:
        parameters["updater"] = ",".join(parameters["updater"])
    if "interaction_constraints" in parameters:
        parameters["interaction_constraints"] = str(parameters["interaction_constraints"])
    if parameters.get("objective") == "reg:linear":
        parameters["objective"] = DEFAULT_OBJECTIVE  # its name today
    if parameters.get("tree_method") == "gpu_hist":
        logging.warning("tree_method is hist, not gpu_hist: the local AWS trains XGBoost on the CPU")
        parameters["tree_method"] = "hist"
    return parameters
