"""The hyperparameters of Linear Learner, as AWS documents them."""

from __future__ import annotations

from sagemaker_algorithms.hyperparameters import AUTO, Hyperparameter, auto_or, boolean, integer, number, one_of

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
    "predictor_type": Hyperparameter(one_of(BINARY, MULTICLASS, REGRESSOR)),
    "num_classes": Hyperparameter(integer(), None),
    "feature_dim": Hyperparameter(auto_or(integer()), AUTO),
    "mini_batch_size": Hyperparameter(integer(), 1000),
    "loss": Hyperparameter(
        one_of(AUTO, *(loss for losses in LOSSES.values() for loss in losses), *_OTHER_LOSSES), AUTO
    ),
    "wd": Hyperparameter(_DECAY, AUTO),
    "l1": Hyperparameter(_DECAY, AUTO),
    "use_bias": Hyperparameter(boolean, True),
    "normalize_data": Hyperparameter(_SWITCH, AUTO),
    "normalize_label": Hyperparameter(_SWITCH, AUTO),
    "unbias_data": Hyperparameter(_SWITCH, AUTO),
    "unbias_label": Hyperparameter(_SWITCH, AUTO),
    "binary_classifier_model_selection_criteria": Hyperparameter(one_of(*CRITERIA), "accuracy"),
    "positive_example_weight_mult": Hyperparameter(auto_or(number(0), "balanced"), 1.0),
    "balance_multiclass_weights": Hyperparameter(boolean, False),
    "target_recall": Hyperparameter(number(0, 1), 0.8),
    "target_precision": Hyperparameter(number(0, 1), 0.8),
    "f_beta": Hyperparameter(number(0), 1.0),
    "quantile": Hyperparameter(number(0, 1), 0.5),
    "huber_delta": Hyperparameter(number(0), 1.0),
    "accuracy_top_k": Hyperparameter(integer(), 3),
    # Of AWS's own way to train; the library has no use for these.
    "epochs": Hyperparameter(integer(), 15),
    "num_models": Hyperparameter(auto_or(integer()), AUTO),
    "num_calibration_samples": Hyperparameter(integer(), 10_000_000),
    "num_point_for_scaler": Hyperparameter(integer(), 10_000),
    "optimizer": Hyperparameter(one_of(AUTO, "sgd", "adam", "rmsprop"), AUTO),
    "momentum": Hyperparameter(auto_or(number(0, 1)), AUTO),
    "learning_rate": Hyperparameter(auto_or(number(0)), AUTO),
    "beta_1": Hyperparameter(auto_or(number(0, 1)), AUTO),
    "beta_2": Hyperparameter(auto_or(number(0, 1)), AUTO),
    "bias_lr_mult": Hyperparameter(auto_or(number(0)), AUTO),
    "bias_wd_mult": Hyperparameter(auto_or(number(0)), AUTO),
    "use_lr_scheduler": Hyperparameter(_SWITCH, True),
    "lr_scheduler_step": Hyperparameter(auto_or(integer()), AUTO),
    "lr_scheduler_factor": Hyperparameter(auto_or(number(0, 1)), AUTO),
    "lr_scheduler_minimum_lr": Hyperparameter(auto_or(number(0)), AUTO),
    "early_stopping_patience": Hyperparameter(integer(), 3),
    "early_stopping_tolerance": Hyperparameter(number(0), 0.001),
    "init_method": Hyperparameter(one_of("uniform", "normal"), "uniform"),
    "init_scale": Hyperparameter(number(0), 0.07),
    "init_sigma": Hyperparameter(number(0), 0.01),
    "init_bias": Hyperparameter(number(), 0.0),
    "margin": Hyperparameter(number(0), 1.0),
    "loss_insensitivity": Hyperparameter(number(0), 0.01),
}
