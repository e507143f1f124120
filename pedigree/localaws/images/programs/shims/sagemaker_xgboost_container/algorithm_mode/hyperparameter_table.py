"""The hyperparameters of the built-in XGBoost: names, values and ranges of AWS's container."""

from __future__ import annotations

from collections.abc import Iterator

from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_xgboost_container.algorithm_mode.hyperparameter_values import (
    Hyperparameter,
    Interval,
    integer,
    lists,
    number,
    one_of,
    tuple_of,
    words,
)
from sagemaker_xgboost_container.constants.xgb_constants import XGB_MAXIMIZE_METRICS, XGB_MINIMIZE_METRICS
from sagemaker_xgboost_container.image_version import NO_SILENT, image_version

METRICS = [*XGB_MAXIMIZE_METRICS, *XGB_MINIMIZE_METRICS]
ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}
TREE_UPDATERS = ("grow_colmaker", "distcol", "grow_histmaker", "grow_skmaker", "sync", "refresh", "prune")
LINEAR_UPDATERS = ("shotgun", "coord_descent")
_WITH_THRESHOLD = ("error", "ndcg", "map")
_OBJECTIVES = (
    "aft_loss_distribution",
    "binary:logistic",
    "binary:logitraw",
    "binary:hinge",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
    "rank:pairwise",
    "rank:ndcg",
    "rank:map",
    "reg:linear",
    "reg:squarederror",
    "reg:logistic",
    "reg:gamma",
    "reg:pseudohubererror",
    "reg:squaredlogerror",
    "reg:absoluteerror",
    "reg:tweedie",
    "survival:aft",
    "survival:cox",
)


class EvalMetrics:
    """The metrics that a model can be evaluated by; some take a threshold, as in error@0.7."""

    def __contains__(self, metric: object) -> bool:
        name, has_threshold, threshold = str(metric).partition("@")
        if "<function" in str(metric):
            raise UserError(f"User defined evaluation metric {metric} is not supported yet.")
        if not has_threshold:
            return metric in METRICS
        if name.strip() not in _WITH_THRESHOLD:
            raise UserError(
                f"Metric '{metric}' is not supported. Parameter 'eval_metric' with customized threshold should "
                "be one of these options: 'error', 'ndcg', 'map'."
            )
        try:
            float(threshold)
        except ValueError:
            raise UserError(f"Threshold value 't' in '{name.strip()}@t' expects float input.") from None
        return True

    def __str__(self) -> str:
        return str(METRICS)


def table() -> dict[str, Hyperparameter]:
    """All hyperparameters by their names; num_round is required."""
    tables = (_of_training(), _of_trees(), _of_boosters(), _of_the_task())
    return {row.name: row for rows in tables for row in rows}


def _of_training() -> Iterator[Hyperparameter]:
    yield integer("num_round", 1)
    yield integer("csv_weights", 0, 1)
    yield integer("early_stopping_rounds", 1)
    yield one_of("booster", "gbtree", "gblinear", "dart")
    yield integer("verbosity", 0, 3)
    if image_version() < NO_SILENT:
        yield integer("silent", 0, 1)
    yield integer("nthread", 1)
    yield integer("seed", -(2**31), 2**31 - 1, is_low_open=True, is_high_open=True)
    yield one_of("save_model_on_termination", "true", "false")
    yield integer("_kfold", 2)
    yield integer("_num_cv_round", 1)
    yield one_of("_tuning_objective_metric", *(f"validation:{metric}" for metric in METRICS))
    yield one_of("use_dask_gpu_training", "true", "false")


def _of_trees() -> Iterator[Hyperparameter]:
    yield number("eta", 0, 1)
    yield number("gamma", 0)
    yield integer("max_depth", 0)
    yield number("min_child_weight", 0)
    yield number("max_delta_step", 0)
    for part in ("subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode"):
        yield number(part, 0, 1, is_low_open=True)
    yield number("lambda", 0)
    yield number("alpha", 0)
    yield one_of("tree_method", "auto", "exact", "approx", "hist", "gpu_hist")
    yield number("sketch_eps", 0, 1, is_low_open=True, is_high_open=True)
    yield number("scale_pos_weight", 0, is_low_open=True)
    yield words("updater", [*TREE_UPDATERS, *LINEAR_UPDATERS])
    yield one_of("dsplit", "row", "col")
    yield integer("refresh_leaf", 0, 1)
    yield one_of("process_type", "default", "update")
    yield one_of("grow_policy", "depthwise", "lossguide")
    yield integer("max_leaves", 0)
    yield integer("max_bin", 0)
    yield one_of("predictor", "auto", "cpu_predictor", "gpu_predictor")
    yield tuple_of("monotone_constraints", -1, 0, 1)
    yield lists("interaction_constraints", Interval(1))
    yield integer("num_parallel_tree", 1)
    yield one_of("sampling_method", "uniform", "gradient_based")
    yield one_of("deterministic_histogram", "true", "false")
    yield integer("prob_buffer_row", 1.0, is_low_open=True)


def _of_boosters() -> Iterator[Hyperparameter]:
    yield one_of("sample_type", "uniform", "weighted")
    yield one_of("normalize_type", "tree", "forest")
    yield number("rate_drop", 0, 1)
    yield integer("one_drop", 0, 1)
    yield number("skip_drop", 0, 1)
    yield number("lambda_bias", 0, 1)


def _of_the_task() -> Iterator[Hyperparameter]:
    yield one_of("objective", *_OBJECTIVES)
    yield integer("num_class", 2)
    yield number("base_score", 0)
    yield number("tweedie_variance_power", 1, 2, is_low_open=True, is_high_open=True)
    yield words("eval_metric", EvalMetrics())
    yield one_of("aft_loss_distribution", "normal", "logistic", "extreme")
    yield number("aft_loss_distribution_scale", 0)
