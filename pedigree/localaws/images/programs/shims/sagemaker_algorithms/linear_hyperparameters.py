"""The hyperparameters of Linear Learner, as AWS documents them."""

from __future__ import annotations

from sagemaker_algorithms.hyperparameters import (
    AUTO,
    HyperparameterSpecification,
    auto_or,
    boolean,
    integer,
    number,
    one_of,
)

BINARY, MULTICLASS, REGRESSOR = "binary_classifier", "multiclass_classifier", "regressor"
LOSSES = {
    BINARY: ("logistic", "hinge_loss"),
    MULTICLASS: ("softmax_loss",),
    REGRESSOR: ("squared_loss", "absolute_loss", "quantile_loss", "huber_loss"),
}
"""The losses of each type of predictor; auto is the first one."""
CRITERIA = (
    "accuracy",
    "f_beta",
    "f1",
    "precision_at_target_recall",
    "recall_at_target_precision",
    "loss_function",
)
_OTHER_LOSSES = ("eps_insensitive_squared_loss", "eps_insensitive_absolute_loss")
_DECAY = auto_or(number(0))
_SWITCH = auto_or(boolean)

HYPERPARAMETERS = {
    "predictor_type": HyperparameterSpecification(one_of(BINARY, MULTICLASS, REGRESSOR)),
    "num_classes": HyperparameterSpecification(integer(), None),
    "feature_dim": HyperparameterSpecification(auto_or(integer()), AUTO),
    "mini_batch_size": HyperparameterSpecification(integer(), 1000),
    "loss": HyperparameterSpecification(
        one_of(AUTO, *(loss for losses in LOSSES.values() for loss in losses), *_OTHER_LOSSES), AUTO
    ),
    "wd": HyperparameterSpecification(_DECAY, AUTO),
    "l1": HyperparameterSpecification(_DECAY, AUTO),
    "use_bias": HyperparameterSpecification(boolean, True),
    "normalize_data": HyperparameterSpecification(_SWITCH, AUTO),
    "normalize_label": HyperparameterSpecification(_SWITCH, AUTO),
    "unbias_data": HyperparameterSpecification(_SWITCH, AUTO),
    "unbias_label": HyperparameterSpecification(_SWITCH, AUTO),
    "binary_classifier_model_selection_criteria": HyperparameterSpecification(one_of(*CRITERIA), "accuracy"),
    "positive_example_weight_mult": HyperparameterSpecification(auto_or(number(0), "balanced"), 1.0),
    "balance_multiclass_weights": HyperparameterSpecification(boolean, False),
    "target_recall": HyperparameterSpecification(number(0, 1), 0.8),
    "target_precision": HyperparameterSpecification(number(0, 1), 0.8),
    "f_beta": HyperparameterSpecification(number(0), 1.0),
    "quantile": HyperparameterSpecification(number(0, 1), 0.5),
    "huber_delta": HyperparameterSpecification(number(0), 1.0),
    "accuracy_top_k": HyperparameterSpecification(integer(), 3),
    # Of AWS's own way to train; the library has no use for these.
    "epochs": HyperparameterSpecification(integer(), 15),
    "num_models": HyperparameterSpecification(auto_or(integer()), AUTO),
    "num_calibration_samples": HyperparameterSpecification(integer(), 10_000_000),
    "num_point_for_scaler": HyperparameterSpecification(integer(), 10_000),
    "optimizer": HyperparameterSpecification(one_of(AUTO, "sgd", "adam", "rmsprop"), AUTO),
    "momentum": HyperparameterSpecification(auto_or(number(0, 1)), AUTO),
    "learning_rate": HyperparameterSpecification(auto_or(number(0)), AUTO),
    "beta_1": HyperparameterSpecification(auto_or(number(0, 1)), AUTO),
    "beta_2": HyperparameterSpecification(auto_or(number(0, 1)), AUTO),
    "bias_lr_mult": HyperparameterSpecification(auto_or(number(0)), AUTO),
    "bias_wd_mult": HyperparameterSpecification(auto_or(number(0)), AUTO),
    "use_lr_scheduler": HyperparameterSpecification(_SWITCH, True),
    "lr_scheduler_step": HyperparameterSpecification(auto_or(integer()), AUTO),
    "lr_scheduler_factor": HyperparameterSpecification(auto_or(number(0, 1)), AUTO),
    "lr_scheduler_minimum_lr": HyperparameterSpecification(auto_or(number(0)), AUTO),
    "early_stopping_patience": HyperparameterSpecification(integer(), 3),
    "early_stopping_tolerance": HyperparameterSpecification(number(0), 0.001),
    "init_method": HyperparameterSpecification(one_of("uniform", "normal"), "uniform"),
    "init_scale": HyperparameterSpecification(number(0), 0.07),
    "init_sigma": HyperparameterSpecification(number(0), 0.01),
    "init_bias": HyperparameterSpecification(number(), 0.0),
    "margin": HyperparameterSpecification(number(0), 1.0),
    "loss_insensitivity": HyperparameterSpecification(number(0), 0.01),
}
