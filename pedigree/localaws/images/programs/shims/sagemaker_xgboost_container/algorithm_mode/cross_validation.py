"""Cross validation: the hyperparameters _kfold and _num_cv_round, a model for each fold."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from sagemaker_xgboost_container.callback import Rounds, print_metrics
from sagemaker_xgboost_container.constants.xgb_constants import MODEL_NAME

_PREDICTIONS = "predictions.csv"
_HALF = 0.5


def cross_validated(
    parameters: dict[str, Any],
    values: Mapping[str, Any],
    data: xgboost.DMatrix,
    rounds: Rounds,
    metric_function: Any,
    output: Path,
) -> dict[str, xgboost.Booster]:
    """A model for each fold by its file's name; predictions of the rows that a fold left out go to the output."""
    count, repeats = values["_kfold"], values.get("_num_cv_round", 1)
    is_classes = "num_class" in values or str(values.get("objective", "")).startswith("binary:")
    logging.info("Run %s-round of %s-fold cross validation with %s rows", repeats, count, data.num_row())
    models, results = {}, []
    predictions = np.zeros((repeats, data.num_row(), 2))
    for fold, (learned, left_out) in enumerate(_folds(data, count, repeats, is_classes=is_classes)):
        logging.info("Train cross validation fold %s", fold % count + 1)
        parts = data.slice(learned), data.slice(left_out)
        model, result = _trained(parameters, values["num_round"], parts, _of_fold(rounds, fold), metric_function)
        models[f"{MODEL_NAME}-{fold}"] = model
        results.append(result)
        predictions[fold // count][left_out] = _predicted(model.predict(parts[1]), is_classes=is_classes)
        if (fold + 1) % count == 0:
            logging.info("The metrics of round %s cross validation", (fold + 1) // count)
            print_metrics(values["num_round"], _means(results[-count:]))
    if repeats > 1:
        logging.info("The overall metrics of %s-round cross validation", repeats)
        print_metrics(values["num_round"], _means(results))
    _save(output, data.get_label(), predictions, is_classes=is_classes)
    return models


def _of_fold(rounds: Rounds, fold: int) -> Rounds:
    folder = rounds.checkpoint_dir and str(Path(rounds.checkpoint_dir, f"model-{fold}"))
    return replace(rounds, model_name=f"{MODEL_NAME}-{fold}", checkpoint_dir=folder, has_validation=True)


def _trained(
    parameters: dict[str, Any],
    count: int,
    parts: tuple[xgboost.DMatrix, xgboost.DMatrix],
    rounds: Rounds,
    metric_function: Any,
) -> tuple[xgboost.Booster, dict[str, Any]]:
    """The model of one fold, and its metrics of each round."""
    checkpoint, done, callbacks = rounds.begin()
    result: dict[str, Any] = {}
    model = xgboost.train(
        parameters,
        parts[0],
        num_boost_round=max(0, count - done),
        evals=[(parts[0], "train"), (parts[1], "validation")],
        custom_metric=metric_function,
        evals_result=result,
        callbacks=callbacks,
        xgb_model=checkpoint,
        verbose_eval=False,
    )
    return model, result


def _folds(data: xgboost.DMatrix, count: int, repeats: int, *, is_classes: bool) -> Any:
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

    kind = RepeatedStratifiedKFold if is_classes else RepeatedKFold
    return kind(n_splits=count, n_repeats=repeats).split(np.zeros(data.num_row()), data.get_label())


def _predicted(predictions: Any, *, is_classes: bool) -> Any:
    """Two columns: the probability and the class, or the number twice."""
    if not is_classes:
        return np.stack([predictions, predictions], axis=1)
    if predictions.ndim > 1:
        return np.stack([predictions.max(axis=-1), predictions.argmax(axis=-1)], axis=1)
    return np.stack([predictions, predictions > _HALF], axis=1)


def _means(results: list[dict[str, Any]]) -> dict[str, float]:
    names = [(data, name) for data, logs in results[0].items() for name in logs]
    return {f"{data}-{name}": float(np.mean([result[data][name][-1] for result in results])) for data, name in names}


def _save(output: Path, labels: Any, predictions: Any, *, is_classes: bool) -> None:
    """A row a sample: label and mean, or label, mean probability and the most frequent class."""
    columns = [labels, predictions[:, :, 0].mean(axis=0)]
    if is_classes:
        columns.append(np.array([_most_frequent(classes) for classes in predictions[:, :, 1].T]))
    output.mkdir(parents=True, exist_ok=True)
    np.savetxt(output / _PREDICTIONS, np.stack(columns, axis=1), delimiter=",", fmt="%f")


def _most_frequent(classes: Any) -> Any:
    values, counts = np.unique(classes, return_counts=True)
    return values[counts.argmax()]
