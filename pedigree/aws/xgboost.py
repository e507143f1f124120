"""The built-in XGBoost algorithm: the hyperparameters that its container takes."""

from __future__ import annotations

REPOSITORIES = ("sagemaker-xgboost", "xgboost")
REQUIRED = "num_round"
HYPERPARAMETERS = (
    *("num_round", "csv_weights", "early_stopping_rounds", "booster", "verbosity", "silent", "nthread", "seed"),
    *("save_model_on_termination", "_kfold", "_num_cv_round", "_tuning_objective_metric", "use_dask_gpu_training"),
    *("eta", "learning_rate", "gamma", "min_split_loss", "max_depth", "min_child_weight", "max_delta_step"),
    *("subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode", "lambda", "reg_lambda", "alpha"),
    *("reg_alpha", "tree_method", "sketch_eps", "scale_pos_weight", "updater", "dsplit", "refresh_leaf"),
    *("process_type", "grow_policy", "max_leaves", "max_bin", "predictor", "monotone_constraints"),
    *("interaction_constraints", "num_parallel_tree", "sampling_method", "deterministic_histogram"),
    *("prob_buffer_row", "sample_type", "normalize_type", "rate_drop", "one_drop", "skip_drop", "lambda_bias"),
    *("objective", "num_class", "base_score", "tweedie_variance_power", "eval_metric", "aft_loss_distribution"),
    "aft_loss_distribution_scale",
)
