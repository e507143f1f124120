"""Linear Learner trains what scikit-learn trains, logs its metrics, and answers as AWS documents it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from algorithm_jobs import Job, drawn, records
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, QuantileRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_algorithms import linear_learner
from sagemaker_algorithms.hyperparameters import validated
from sagemaker_algorithms.linear_hyperparameters import HYPERPARAMETERS
from sagemaker_algorithms.linear_metrics import best_threshold
from sagemaker_algorithms.tables import Table

TRAIN, TEST = drawn(300, 4, 1), drawn(80, 4, 2)
REGRESSION = {"predictor_type": "regressor"}
BINARY = {"predictor_type": "binary_classifier"}
CLASSES = {"predictor_type": "multiclass_classifier", "num_classes": 3}


def numbers(features: Any) -> Any:
    noise = np.random.default_rng(len(features)).normal(size=len(features))
    return (features @ [1, -2, 0, 0.5] + 3 + noise).astype(np.float32).astype(float)


def classes(features: Any) -> Any:
    return np.digitize(numbers(features), np.quantile(numbers(TRAIN), [0.3, 0.6])).astype(float)


def halves(features: Any) -> Any:
    return (classes(features) > 0).astype(float)


def job_of(folder: Path, labels: Any) -> Job:
    job = Job(folder, "linear-learner")
    job.write("train", records(TRAIN, labels(TRAIN)))
    job.write("validation", records(TEST, labels(TEST)))
    return job


def test_a_regression_equals_the_librarys(tmp_path: Path) -> None:
    job = job_of(tmp_path, numbers)
    ended = job.run({**REGRESSION, "feature_dim": 4, "mini_batch_size": 100})
    assert ended.code == 0, ended.logged
    library = LinearRegression().fit(TRAIN, numbers(TRAIN))
    errors = library.predict(TEST) - numbers(TEST)
    assert ended.metrics["validation mse <loss>"] == pytest.approx(np.mean(errors**2))
    assert ended.metrics["validation absolute_loss <loss>"] == pytest.approx(np.mean(np.abs(errors)))
    assert "epoch=0, train mse_objective <loss>=" in ended.logged
    with job.served() as server:
        for rows in server.of_all_types(TEST[:5]):
            assert [list(row) for row in rows] == [["score"]] * 5
            np.testing.assert_allclose([row["score"] for row in rows], library.predict(TEST[:5]), rtol=1e-5)


def test_two_classes_equal_the_librarys(tmp_path: Path) -> None:
    job = job_of(tmp_path, halves)
    ended = job.run({**BINARY, "binary_classifier_model_selection_criteria": "loss_function"})
    assert ended.code == 0, ended.logged
    library = make_pipeline(StandardScaler(), LogisticRegression(C=1 / (1e-4 * 300), max_iter=10_000))
    library.fit(TRAIN, halves(TRAIN))
    accuracy = library.score(TEST, halves(TEST))
    assert ended.metrics["validation binary_classification_accuracy <score>"] == pytest.approx(accuracy)
    assert "#validation_score (algo-1) : ('binary_classification_accuracy', " in ended.logged
    with job.served() as server:
        for rows in server.of_all_types(TEST[:5]):
            expected = library.predict_proba(TEST[:5])[:, 1]
            np.testing.assert_allclose([row["score"] for row in rows], expected, atol=1e-4)
            assert [row["predicted_label"] for row in rows] == library.predict(TEST[:5]).tolist()


def test_several_classes_equal_the_librarys(tmp_path: Path) -> None:
    job = job_of(tmp_path, classes)
    ended = job.run({**CLASSES, "accuracy_top_k": 2})
    assert ended.code == 0, ended.logged
    library = make_pipeline(StandardScaler(), LogisticRegression(C=1 / (1e-4 * 300), max_iter=10_000))
    library.fit(TRAIN, classes(TRAIN))
    accuracy = library.score(TEST, classes(TEST))
    assert ended.metrics["validation multiclass_accuracy <score>"] == pytest.approx(accuracy)
    assert ended.metrics["validation multiclass_top_k_accuracy_2 <score>"] >= accuracy
    with job.served() as server:
        for rows in server.of_all_types(TEST[:5]):
            found = [row["score"] for row in rows]
            np.testing.assert_allclose(found, library.predict_proba(TEST[:5]), atol=1e-4)
            assert [row["predicted_label"] for row in rows] == library.predict(TEST[:5]).tolist()


def test_absolute_weights_make_a_model_of_two_classes_sparse(tmp_path: Path) -> None:
    job = job_of(tmp_path, halves)
    ended = job.run({**BINARY, "l1": 0.05})
    assert ended.code == 0, ended.logged
    weights = np.load(tmp_path / "model/model_algo-1")["weights"]
    assert 0 < np.count_nonzero(weights) < 4


def predicted(values: dict[str, Any], labels: Any = numbers) -> Any:
    """The scores of a model that is trained in this process."""
    texts = {name: str(value) for name, value in values.items()}
    model, _ = linear_learner.train(validated(texts, HYPERPARAMETERS), {"train": Table(TRAIN, labels(TRAIN))})
    return linear_learner.scores(model, TEST)


@pytest.mark.parametrize(
    ("values", "library"),
    [
        ({"loss": "absolute_loss"}, QuantileRegressor(quantile=0.5, alpha=0)),
        ({"loss": "quantile_loss", "quantile": 0.9}, QuantileRegressor(quantile=0.9, alpha=0)),
        ({"l1": 0.3, "wd": 0.1, "normalize_data": "false", "normalize_label": "false"}, ElasticNet(0.4, l1_ratio=0.75)),
        ({"use_bias": "False"}, LinearRegression(fit_intercept=False)),
        ({"loss": "huber_loss", "huber_delta": 100}, LinearRegression()),  # all errors are in its quadratic part
    ],
)
def test_losses_and_weights_are_those_of_an_estimator(values: dict[str, Any], library: Any) -> None:
    expected = library.fit(TRAIN, numbers(TRAIN)).predict(TEST)
    np.testing.assert_allclose(predicted({**REGRESSION, **values}), expected, atol=0.1)


def test_a_hinge_loss_scores_by_the_distance_from_the_plane() -> None:
    scores = predicted({**BINARY, "loss": "hinge_loss"}, halves)
    assert scores.min() < 0 < 1 < scores.max()
    assert np.mean((scores >= 0) == halves(TEST)) > 0.8


def test_a_heavier_positive_class_is_predicted_more_often() -> None:
    usual, heavy = (predicted({**BINARY, "positive_example_weight_mult": weight}, halves) for weight in (1, 50))
    assert heavy.mean() > usual.mean()


@pytest.mark.parametrize(
    ("criterion", "threshold"),
    [
        ({"criteria": "accuracy"}, 0.5),
        ({"criteria": "loss_function"}, 0.5),
        ({"criteria": "precision_at_target_recall", "target_recall": 1}, 0.3),
        ({"criteria": "recall_at_target_precision", "target_precision": 1}, 0.6),
    ],
)
def test_the_threshold_is_the_best_by_the_criterion(criterion: dict[str, Any], threshold: float) -> None:
    values = {
        f"binary_classifier_model_selection_{name}" if name == "criteria" else name: str(value)
        for name, value in criterion.items()
    }
    known = validated({**BINARY, **values}, HYPERPARAMETERS)
    scores, labels = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.9]), np.array([0, 0, 1, 0, 1, 1])
    assert best_threshold(known, scores, labels) == threshold


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"predictor_type": "multiclass_classifier"}, "num_classes must be an integer of at least 2"),
        ({**CLASSES, "num_classes": 2}, "The labels in the channel 'train' must be integers from 0 to 1"),
        (BINARY, "The labels in the channel 'train' must be integers from 0 to 1"),
        ({**CLASSES, "loss": "logistic"}, "with the loss softmax_loss, and not with logistic"),
        ({**REGRESSION, "loss": "eps_insensitive_squared_loss"}, "and not with eps_insensitive_squared_loss"),
        ({**REGRESSION, "quantile": 2}, r"Hyperparameter quantile: '2' is not a number in \[0, 1\]"),
        ({}, "No value\\(s\\) were specified for 'predictor_type'"),
    ],
)
def test_what_cannot_be_trained_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        predicted(values, classes)


def test_rows_without_labels_are_refused(tmp_path: Path) -> None:
    job = Job(tmp_path, "linear-learner")
    job.write("train", records(TRAIN))
    assert job.run(REGRESSION).code == 1
    assert job.failure == "ClientError: The channel 'train' has no labels"
