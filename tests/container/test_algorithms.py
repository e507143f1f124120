"""K-Means and PCA of SageMaker train what scikit-learn trains, log its metrics, and answer as AWS documents it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from algorithm_jobs import RECORDS, Job, body_of_csv, drawn, records
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

TRAIN, TEST = drawn(300, 4, 1), drawn(80, 4, 2)
K_MEANS = {"feature_dim": 4, "k": 3}
COMPONENTS = {"feature_dim": 4, "num_components": 2, "mini_batch_size": 100}


def job_of(folder: Path, algorithm: str) -> Job:
    """A job with records in two files and a test."""
    job = Job(folder, algorithm)
    job.write("train", records(TRAIN[:200]), "matrix_0.pbr")
    job.write("train", records(TRAIN[200:]), "matrix_1.pbr")
    job.write("test", records(TEST))
    return job


def test_k_means_equals_the_librarys(tmp_path: Path) -> None:
    job = job_of(tmp_path, "kmeans")
    ended = job.run({**K_MEANS, "eval_metrics": '["msd","ssd"]', "_tuning_objective_metric": "test:msd"})
    assert ended.code == 0, ended.logged
    library = KMeans(3, n_init=10, random_state=0, tol=0.0001).fit(TRAIN)
    squares = library.transform(TEST).min(axis=1) ** 2
    assert ended.metrics == pytest.approx(
        {
            "train msd <loss>": library.inertia_ / len(TRAIN),
            "train ssd <loss>": library.inertia_,
            "test msd <loss>": squares.mean(),
            "test ssd <loss>": squares.sum(),
        }
    )
    assert "#progress_metric: host=algo-1, completed 100 % of epochs" in ended.logged
    with job.served() as server:
        for rows in server.of_all_types(TEST[:5]):
            assert [row["closest_cluster"] for row in rows] == library.predict(TEST[:5]).tolist()
            distances = [row["distance_to_cluster"] for row in rows]
            np.testing.assert_allclose(distances, library.transform(TEST[:5]).min(axis=1), rtol=1e-6)
        _, kind, content = server.answer(body_of_csv(TEST[:5]), "text/csv", "text/csv")
        assert kind == "text/csv"
        expected = np.column_stack([library.predict(TEST[:5]), library.transform(TEST[:5]).min(axis=1)])
        np.testing.assert_allclose(np.loadtxt(content.decode().splitlines(), delimiter=","), expected)


@pytest.mark.parametrize("mode", ["regular", "randomized"])
def test_pca_equals_the_librarys_with_the_largest_component_last(tmp_path: Path, mode: str) -> None:
    job = job_of(tmp_path, "pca")
    ended = job.run({**COMPONENTS, "algorithm_mode": mode})
    assert ended.code == 0, ended.logged
    expected = PCA(2).fit(TRAIN).transform(TEST[:5])[:, ::-1]
    with job.served() as server:
        for rows in server.of_all_types(TEST[:5]):
            found = np.array([row["projection"] for row in rows])
            np.testing.assert_allclose(np.abs(found), np.abs(expected), rtol=1e-4)
        status, _, content = server.answer(body_of_csv(TEST[:5]), "text/csv", "application/json")
        assert status == 200
        assert content.startswith(b'{"projections": [{"projection": [')


@pytest.mark.parametrize("count", [2, 4])
def test_pca_without_the_mean_is_a_decomposition_of_the_rows_themselves(tmp_path: Path, count: int) -> None:
    job = job_of(tmp_path, "pca")
    assert job.run({**COMPONENTS, "num_components": count, "subtract_mean": "False"}).code == 0
    vectors = np.linalg.svd(TRAIN, full_matrices=False)[2][:count][::-1].T
    with job.served() as server:
        rows = server.of_all_types(TEST[:3])[0]
    np.testing.assert_allclose(np.abs([row["projection"] for row in rows]), np.abs(TEST[:3] @ vectors), rtol=1e-6)


@pytest.mark.parametrize(("content_type", "columns"), [("text/csv;label_size=0", ()), ("text/csv", (np.zeros(300),))])
def test_csv_has_a_label_in_front_unless_its_type_says_that_it_has_none(
    tmp_path: Path, content_type: str, columns: tuple[Any, ...]
) -> None:
    job = Job(tmp_path, "kmeans")
    job.write("train", body_of_csv(*columns, TRAIN))
    ended = job.run(K_MEANS, content_type)
    expected = KMeans(3, n_init=10, random_state=0).fit(TRAIN).inertia_ / len(TRAIN)
    assert ended.metrics == pytest.approx({"train msd <loss>": expected})


@pytest.mark.parametrize(
    ("hyperparameters", "content_type", "words"),
    [
        (
            {},
            "",
            "ClientError: No value(s) were specified for 'feature_dim', 'k' which are required hyperparameter(s) "
            "(caused by ValidationError)",
        ),
        ({**K_MEANS, "clusters": 3}, "", "ClientError: Additional hyperparameters are not allowed ('clusters' was"),
        ({**K_MEANS, "k": "x"}, "", "ClientError: Hyperparameter k: 'x' is not an integer of at least 1 (caused by"),
        ({**K_MEANS, "init_method": "best"}, "", "'best' is not one of random, kmeans++"),
        ({**K_MEANS, "eval_metrics": "msd"}, "", "eval_metrics: 'msd' is not a JSON list of msd, ssd"),
        ({**K_MEANS, "local_lloyd_tol": "2"}, "", "local_lloyd_tol: '2' is not a number in [0, 1]"),
        ({**K_MEANS, "feature_dim": 5}, "", "has 4 features in a row, and feature_dim is 5; text/csv has a label in"),
        ({**K_MEANS, "k": 301}, "", "The number of rows in the channel 'train', 300, is less than k, 301"),
        (K_MEANS, "text/csv", "Unable to read data channel '"),
        (K_MEANS, "text/libsvm", "Content-type text/libsvm of channel '"),
    ],
)
def test_what_a_user_can_mend_is_a_client_error(
    tmp_path: Path, hyperparameters: dict[str, Any], content_type: str, words: str
) -> None:
    job = job_of(tmp_path, "kmeans")
    ended = job.run(hyperparameters, content_type)
    assert ended.code == 1
    assert job.failure.startswith("ClientError: ")
    assert words in job.failure
    assert "Customer Error: " in ended.logged


@pytest.mark.parametrize(
    ("channel", "content", "words"),
    [
        ("validation", records(TEST), "Extraneous channel found: validation; K-Means has train, test"),
        ("test", b"", "There is no data in the channel 'test'"),
        ("test", records(TEST[:, :3]), "The channel 'test' has 3 features in a row, and feature_dim is 4"),
        ("train", records(TEST[:, :3]), "The files of the channel 'train' have different numbers of features: [3, 4]"),
    ],
)
def test_channels_that_do_not_fit_are_refused(tmp_path: Path, channel: str, content: bytes, words: str) -> None:
    job = Job(tmp_path, "kmeans")
    job.write("train", records(TRAIN))
    job.write(channel, content, "part-1")
    assert job.run(K_MEANS).code == 1
    assert words in job.failure


def test_several_instances_are_refused(tmp_path: Path) -> None:
    job = job_of(tmp_path, "kmeans")
    assert job.run(K_MEANS, hosts=["algo-1", "algo-2"]).code == 1
    assert job.failure == "ClientError: the local AWS trains K-Means on one instance; set InstanceCount to 1"


def test_requests_that_cannot_be_answered_have_a_status_that_says_whose_fault_it_is(tmp_path: Path) -> None:
    job = job_of(tmp_path, "kmeans")
    job.run(K_MEANS)
    with job.served() as server:
        cases: list[tuple[bytes | str, str, str, int]] = [
            ("1,2,3,x\n", "text/csv", "", 400),
            ("1,2,3\n", "text/csv", "", 400),
            ("", "text/csv", "", 400),
            ("[1, 2, 3, 4]", "application/json", "", 400),
            ('{"instances": [{"values": [1]}]}', "application/json", "", 400),
            (b"1,2,3,4", RECORDS, "", 400),
            ("1 1:2", "text/libsvm", "", 415),
            ("1,2,3,4\n", "text/csv", "text/html", 406),
        ]
        for body, content_type, accept, status in cases:
            answered, _, content = server.answer(body, content_type, accept)
            assert answered == status, content
        assert server.answer("1,2,3,4\n", "text/csv", "*/*")[:2] == (200, "application/json")
