"""k-NN answers what scikit-learn's nearest neighbors answer, logs its metrics, and lists the neighbors on request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from algorithm_jobs import Job, body_of_csv, drawn, records
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestNeighbors

from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_algorithms import knn
from sagemaker_algorithms.algorithm import Model
from sagemaker_algorithms.hyperparameters import validated
from sagemaker_algorithms.tables import Table

TRAIN, TEST = drawn(300, 4, 1), drawn(80, 4, 2)
VALUES = {"feature_dim": 4, "k": 5, "sample_size": 300}


def labels(features: Any) -> Any:
    return np.digitize(features.sum(axis=1), [10, 30]).astype(float)


@pytest.mark.parametrize(
    ("kind", "library", "metric"),
    [
        ("classifier", KNeighborsClassifier(5), "test accuracy <score>"),
        ("regressor", KNeighborsRegressor(5), "test mse <loss>"),
    ],
)
def test_answers_equal_the_librarys(tmp_path: Path, kind: str, library: Any, metric: str) -> None:
    job = Job(tmp_path, "knn")
    job.write("train", records(TRAIN, labels(TRAIN)))
    job.write("test", records(TEST, labels(TEST)))
    ended = job.run({**VALUES, "predictor_type": kind, "index_type": "faiss.IVFFlat"})
    assert ended.code == 0, ended.logged
    expected = library.fit(TRAIN, labels(TRAIN)).predict(TEST)
    right, error = np.mean(expected == labels(TEST)), np.mean((expected - labels(TEST)) ** 2)
    assert ended.metrics == pytest.approx({metric: right if kind == "classifier" else error})
    with job.served() as server:
        for rows in server.of_all_types(TEST[:5]):
            np.testing.assert_allclose([row["predicted_label"] for row in rows], expected[:5], rtol=1e-6)
        content = server.answer(body_of_csv(TEST[:5]), "text/csv", "application/json; verbose=true")[2]
        distances, nearest = NearestNeighbors(n_neighbors=5).fit(TRAIN).kneighbors(TEST[:5])
        rows = json.loads(content)["predictions"]
        np.testing.assert_allclose([row["distances"] for row in rows], distances)
        assert [row["labels"] for row in rows] == labels(TRAIN)[nearest].tolist()


def trained(**values: Any) -> Model:
    texts = {name: str(value) for name, value in {**VALUES, "predictor_type": "classifier", **values}.items()}
    return knn.train(validated(texts, knn.ALGORITHM.hyperparameters), {"train": Table(TRAIN, labels(TRAIN))})[0]


@pytest.mark.parametrize("metric", ["COSINE", "INNER_PRODUCT"])
def test_other_metrics_order_the_rows(metric: str) -> None:
    (row,) = knn.predict(trained(index_metric=metric), TEST[:1], verbose=True)
    products = TRAIN @ TEST[0]
    cosines = products / np.linalg.norm(TRAIN, axis=1) / np.linalg.norm(TEST[0])
    expected = np.sort(1 - cosines)[:5] if metric == "COSINE" else np.sort(products)[::-1][:5]
    np.testing.assert_allclose(row["distances"], expected, atol=1e-9)


def test_rows_are_sampled_and_reduced() -> None:
    model = trained(sample_size=50, dimension_reduction_type="sign", dimension_reduction_target=2)
    assert model["features"].shape == (50, 2)
    assert len(knn.predict(model, TEST, verbose=False)) == len(TEST)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"k": 301}, "k, 301, is more than the 300 rows that are sampled"),
        ({"dimension_reduction_type": "sign"}, "dimension_reduction_target must be an integer in"),
        ({"dimension_reduction_type": "fjlt", "dimension_reduction_target": 2}, "set dimension_reduction_type to sign"),
        ({"predictor_type": "both"}, "'both' is not one of classifier, regressor"),
    ],
)
def test_what_cannot_be_trained_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        trained(**values)
