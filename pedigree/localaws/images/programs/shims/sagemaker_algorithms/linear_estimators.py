"""Which estimator of scikit-learn stands for a predictor of Linear Learner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, QuantileRegressor, SGDRegressor
from sklearn.svm import LinearSVC

from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_algorithms.hyperparameters import AUTO, Values
from sagemaker_algorithms.linear_hyperparameters import BINARY, LOSSES

_CLASSES_DECAY = 1e-4  # classes that a plane separates have no best weights without any
_ROUNDS = 10_000


def loss_of(values: Values) -> str:
    """The loss; UserError if the type of predictor has no such one here."""
    kind, loss = values["predictor_type"], values["loss"]
    if loss == AUTO:
        return LOSSES[kind][0]
    if loss not in LOSSES[kind]:
        raise UserError(f"the local AWS trains a {kind} with the loss {' or '.join(LOSSES[kind])}, and not with {loss}")
    return str(loss)


def estimator(values: Values, rows: int) -> Any:
    """The estimator, not fitted yet. AWS's wd and l1 weigh against the mean loss of a row."""
    makers: Mapping[str, Callable[[Values, int], Any]] = {
        "logistic": _logistic,
        "softmax_loss": _logistic,
        "hinge_loss": _hinge,
        "squared_loss": _squared,
        "absolute_loss": _quantile,
        "quantile_loss": _quantile,
        "huber_loss": _huber,
    }
    return makers[loss_of(values)](values, rows)


def _decays(values: Values, usual: float) -> tuple[float, float]:
    """The weights of the squares and of the absolute values of the model's weights."""
    squares, absolutes = values["wd"], values["l1"]
    return (usual if squares == AUTO else squares), (0.0 if absolutes == AUTO else absolutes)


def _logistic(values: Values, rows: int) -> Any:
    squares, absolutes = _decays(values, _CLASSES_DECAY)
    common = {"fit_intercept": values["use_bias"], "class_weight": _weights(values), "max_iter": _ROUNDS}
    if not absolutes:
        return LogisticRegression(C=1 / (max(squares, 1e-12) * rows), **common)
    both = squares + absolutes
    elastic = {"l1_ratio": absolutes / both, "solver": "saga", "random_state": 0, "tol": 1e-5}
    return LogisticRegression(penalty="elasticnet", C=1 / (both * rows), **elastic, **common)


def _hinge(values: Values, rows: int) -> Any:
    decay = max(_decays(values, _CLASSES_DECAY)[0], 1e-12)
    common = {"fit_intercept": values["use_bias"], "class_weight": _weights(values), "max_iter": 10 * _ROUNDS}
    return LinearSVC(loss="hinge", dual=True, C=1 / (decay * rows), random_state=0, **common)


def _weights(values: Values) -> Any:
    """The weights of classes."""
    if values["predictor_type"] != BINARY:
        return "balanced" if values["balance_multiclass_weights"] else None
    weight = values["positive_example_weight_mult"]
    return "balanced" if isinstance(weight, str) else {0: 1.0, 1: weight}


def _squared(values: Values, rows: int) -> Any:  # noqa: ARG001  # the library takes means itself
    squares, absolutes = _decays(values, 0.0)
    both = squares + absolutes
    if not both:
        return LinearRegression(fit_intercept=values["use_bias"])
    return ElasticNet(both, l1_ratio=absolutes / both, fit_intercept=values["use_bias"], max_iter=_ROUNDS)


def _quantile(values: Values, rows: int) -> Any:  # noqa: ARG001  # the library takes means itself
    quantile = values["quantile"] if loss_of(values) == "quantile_loss" else 0.5
    return QuantileRegressor(quantile=quantile, alpha=_decays(values, 0.0)[1], fit_intercept=values["use_bias"])


def _huber(values: Values, rows: int) -> Any:  # noqa: ARG001  # the library takes means itself
    squares, _ = _decays(values, 1e-6)
    common = {"fit_intercept": values["use_bias"], "max_iter": _ROUNDS, "tol": 1e-7, "random_state": 0}
    return SGDRegressor("huber", epsilon=values["huber_delta"], alpha=squares, learning_rate="adaptive", **common)
