"""Reads a job's hyperparameters, which are texts, and refuses what AWS's container refuses, in its words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagemaker_algorithm_toolkit.exceptions import AlgorithmError, UserError
from sagemaker_xgboost_container.algorithm_mode.hyperparameter_table import (
    ALIASES,
    LINEAR_UPDATERS,
    TREE_UPDATERS,
    table,
)

DEFAULT_OBJECTIVE = "reg:squarederror"
_GROWING = ("grow_colmaker", "distcol", "grow_histmaker")
_UPDATING = ("refresh", "prune")


def validated(given: Mapping[str, str]) -> dict[str, Any]:
    """The values by their usual names; UserError says what is wrong with them."""
    known = table()
    texts = {ALIASES.get(name, name): text for name, text in given.items()}
    if "num_round" not in texts:
        raise UserError("Missing required hyperparameter: num_round")
    values = {}
    for name, text in texts.items():
        if name not in known:
            raise UserError(f"Extraneous hyperparameter found: {name}")
        try:
            values[name] = known[name].parse(text)
        except ValueError as error:
            raise UserError(f"Hyperparameter {name}: could not parse value", caused_by=error) from error
    for name, value in values.items():
        try:
            known[name].check(value)
        except TypeError as error:
            words = f"Hyperparameter {name}: unexpected failure when validating {value}"
            raise AlgorithmError(words, caused_by=error) from error
    for rule in (_objective, _updater, _eval_metric, _constraints):
        rule(values)
    return values


def _objective(values: Mapping[str, Any]) -> None:
    if values.get("objective") in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        raise UserError("Require input for parameter 'num_class' for multi-classification")


def _updater(values: Mapping[str, Any]) -> None:
    chosen = values.get("updater")
    if chosen is None:
        return
    if values.get("booster") == "gblinear":
        if len(chosen) != 1 or chosen[0] not in LINEAR_UPDATERS:
            raise UserError("Linear updater should be one of these options: 'shotgun', 'coord_descent'.")
    elif values.get("process_type") == "update":
        if set(chosen) - set(_UPDATING):
            raise UserError("process_type 'update' can only be used with updater 'refresh' and 'prune'")
    elif set(chosen) - set(TREE_UPDATERS):
        raise UserError(
            "Tree updater should be selected from these options: 'grow_colmaker', 'distcol', 'grow_histmaker', "
            "'grow_skmaker', 'grow_quantile_histmaker', 'sync', 'refresh', 'prune', 'shortgun', 'coord_descent'."
        )
    elif len([updater for updater in chosen if updater in _GROWING]) > 1:
        raise UserError(
            "Only one tree grow plugin can be selected. Choose one from the"
            "following: 'grow_colmaker', 'distcol', 'grow_histmaker', 'grow_skmaker'"
        )


def _eval_metric(values: Mapping[str, Any]) -> None:
    chosen, objective = values.get("eval_metric", []), values.get("objective", DEFAULT_OBJECTIVE)
    if "auc" in chosen and not objective.startswith(("binary:", "rank:")):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in chosen and objective != "survival:aft":
        raise UserError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")


def _constraints(values: Mapping[str, Any]) -> None:
    method = values.get("tree_method")
    if "monotone_constraints" in values and method not in ("exact", "hist"):
        raise UserError(
            "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'."
        )
    if "interaction_constraints" in values and method not in ("exact", "hist", "approx"):
        raise UserError(
            "interaction_constraints can be used only when the tree_method parameter is set to "
            "either 'exact', 'hist' or 'approx'."
        )
