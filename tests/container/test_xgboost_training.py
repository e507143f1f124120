"""The built-in XGBoost trains what the library trains, and logs, saves and resumes as AWS's container does."""

from __future__ import annotations

import pickle
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xgboost
from pyarrow import parquet
from xgboost_jobs import Job, called_directly, drawn, linear, write_csv, write_libsvm

REGRESSION = {"num_round": 12, "max_depth": 4, "eta": 0.3, "objective": "reg:squarederror", "seed": 3}


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job with drawn CSV in both of its channels."""
    made = Job(tmp_path)
    for name, rows in (("train", 300), ("validation", 100)):
        features = drawn(rows, 5, rows)
        write_csv(made.channel(name) / "part.csv", linear(features), features)
    return made


def loaded(job: Job) -> xgboost.Booster:
    return xgboost.Booster(model_file=job.model)


def matrix(job: Job, channel: str) -> xgboost.DMatrix:
    table = np.genfromtxt(job.root / f"input/data/{channel}/part.csv", delimiter=",")
    return xgboost.DMatrix(table[:, 1:], label=table[:, 0])


def assert_equal(
    job: Job, train: xgboost.DMatrix, validation: xgboost.DMatrix, values: dict[str, Any], content_type: str
) -> None:
    """The job's predictions and metrics are those of the library."""
    job.configure(values, content_type)
    ended = job.run()
    assert ended.code == 0, ended.logged
    parameters = {name: value for name, value in values.items() if name not in ("num_round", "csv_weights")}
    if "eval_metric" in parameters:
        parameters["eval_metric"] = parameters["eval_metric"].split(",")
    model, metrics = called_directly(parameters, values["num_round"], train, validation)
    np.testing.assert_allclose(loaded(job).predict(validation), model.predict(validation), rtol=0, atol=1e-6)
    assert ended.metrics == [{name: round(value, 5) for name, value in line.items()} for line in metrics]


def test_a_regression_of_csv_equals_the_librarys(job: Job) -> None:
    assert_equal(job, matrix(job, "train"), matrix(job, "validation"), REGRESSION, "text/csv")


def test_two_classes_of_libsvm_with_weights_equal_the_librarys(tmp_path: Path) -> None:
    job, matrices = Job(tmp_path), {}
    for name, rows in (("train", 400), ("validation", 150)):
        features = drawn(rows, 8, rows)
        labels, weights = (linear(features) > 0).astype(float), np.linspace(0.5, 2, rows).astype(np.float32)
        write_libsvm(job.channel(name) / "part-0.libsvm", labels, features, weights)
        matrices[name] = xgboost.DMatrix(features, label=labels, weight=weights)
    values = {
        "num_round": 10,
        "objective": "binary:logistic",
        "eval_metric": "logloss,error@0.7,auc",
        "subsample": 0.8,
        "seed": 7,
    }
    assert_equal(job, matrices["train"], matrices["validation"], values, "text/libsvm")


def test_three_classes_of_parquet_equal_the_librarys(tmp_path: Path) -> None:
    job, matrices = Job(tmp_path), {}
    for name, rows in (("train", 300), ("validation", 90)):
        features = drawn(rows, 4, rows)
        labels = np.digitize(linear(features), [-1, 1]).astype(float)
        table = pa.table({"l": labels.astype(int), **{f"f{n}": features[:, n] for n in range(4)}})
        parquet.write_table(table.slice(0, rows // 2), job.channel(name) / "a.parquet")
        parquet.write_table(table.slice(rows // 2), job.channel(name) / "b.parquet")
        matrices[name] = xgboost.DMatrix(features, label=labels)
    values = {"num_round": 8, "objective": "multi:softprob", "num_class": 3, "eval_metric": "mlogloss,merror"}
    assert_equal(job, matrices["train"], matrices["validation"], values, "application/x-parquet")


def test_the_second_column_of_csv_can_have_weights(tmp_path: Path) -> None:
    job, matrices = Job(tmp_path), {}
    for name, rows in (("train", 200), ("validation", 80)):
        features, weights = drawn(rows, 3, rows), np.linspace(0.1, 3, rows).astype(np.float32)
        write_csv(job.channel(name) / "part.csv", linear(features), weights, features)
        matrices[name] = xgboost.DMatrix(features, label=linear(features), weight=weights)
    values = {**REGRESSION, "csv_weights": 1, "eval_metric": "rmse,mae"}
    assert_equal(job, matrices["train"], matrices["validation"], values, "text/csv")


def test_files_of_subfolders_and_other_delimiters_are_read(tmp_path: Path) -> None:
    job = Job(tmp_path)
    (job.channel("train") / "deep/er").mkdir(parents=True)
    (job.channel("train") / "deep/er/a.csv").write_text("1;2.5;\n0;3.5;4\n")
    (job.channel("train") / "_SUCCESS").touch()
    (job.channel("train") / "b.csv").write_text("1;1;1\n")
    job.configure({"num_round": 1})
    assert "Train matrix has 3 rows and 2 columns" in job.run().logged


def test_the_model_is_one_file_that_the_library_loads(job: Job) -> None:
    job.configure(REGRESSION)
    job.run()
    assert [path.name for path in (job.root / "model").iterdir()] == ["xgboost-model"]
    assert job.model.read_bytes().startswith(b"{L")  # UBJSON


def test_an_image_before_1_3_pickles_its_model_and_takes_silent(job: Job) -> None:
    job.configure({**REGRESSION, "objective": "reg:linear", "silent": 0})
    assert job.run(SAGEMAKER_XGBOOST_VERSION="1.0-1").code == 0
    model = pickle.loads(job.model.read_bytes())
    assert model.predict(matrix(job, "validation")).shape == (100,)


def test_training_ends_early_with_the_best_rounds_alone(job: Job) -> None:
    values = {"num_round": 200, "early_stopping_rounds": 2, "eval_metric": "mae,rmse", "eta": 1, "max_depth": 8}
    job.configure(values)
    ended = job.run()
    errors = [line["validation-rmse"] for line in ended.metrics]
    assert len(errors) < 200
    assert loaded(job).num_boosted_rounds() == int(np.argmin(errors)) + 1


def test_a_search_measures_its_objective(job: Job) -> None:
    job.configure({**REGRESSION, "_tuning_objective_metric": "validation:mae", "eval_metric": "rmse"})
    ended = job.run()
    assert list(ended.metrics[0]) == ["train-mae", "train-rmse", "validation-mae", "validation-rmse"]


def test_metrics_that_the_library_lacks_are_scikit_learns(job: Job) -> None:
    from sklearn.metrics import accuracy_score, f1_score

    for name in ("train", "validation"):
        path = job.channel(name) / "part.csv"
        table = np.genfromtxt(path, delimiter=",")
        write_csv(path, table[:, 0] > 0, table[:, 1:])
    job.configure({"num_round": 3, "objective": "binary:logistic", "eval_metric": "accuracy,f1_binary,logloss"})
    ended = job.run()
    data = matrix(job, "validation")
    labels, classes = data.get_label(), loaded(job).predict(data) > 0.5
    assert ended.metrics[-1]["validation-accuracy"] == round(accuracy_score(labels, classes), 5)
    assert ended.metrics[-1]["validation-f1_binary"] == round(f1_score(labels, classes), 5)


def test_checkpoints_are_kept_and_training_goes_on_from_them(job: Job) -> None:
    checkpoints = job.root / "checkpoints"
    checkpoints.mkdir()
    job.configure({**REGRESSION, "num_round": 7})
    job.run()
    assert sorted(path.name for path in checkpoints.iterdir()) == [f"xgboost-checkpoint.{n}" for n in range(2, 7)]
    (checkpoints / "xgboost-checkpoint.6").write_bytes(b"torn")
    job.configure(REGRESSION)
    ended = job.run()
    assert "Resuming from iteration 6" in ended.logged
    assert ended.printed.startswith("[6]\ttrain-rmse:")
    model, _ = called_directly(
        {name: value for name, value in REGRESSION.items() if name != "num_round"},
        12,
        matrix(job, "train"),
        matrix(job, "validation"),
    )
    data = matrix(job, "validation")
    np.testing.assert_allclose(loaded(job).predict(data), model.predict(data), atol=1e-5)


def test_a_job_that_is_stopped_keeps_the_model_so_far(job: Job) -> None:
    job.configure({**REGRESSION, "num_round": 1_000_000, "save_model_on_termination": "true"})
    with job.start() as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("[3]"):
                break
        (job.root / "model/half-written.tmp").touch()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        process.communicate()
    assert [path.name for path in (job.root / "model").iterdir()] == ["xgboost-model"]
    assert loaded(job).num_boosted_rounds() >= 4


def test_cross_validation_saves_a_model_for_each_fold_and_what_they_predict(job: Job) -> None:
    job.configure({**REGRESSION, "num_round": 4, "_kfold": 3})
    ended = job.run()
    assert ended.code == 0, ended.logged
    assert sorted(path.name for path in (job.root / "model").iterdir()) == [f"xgboost-model-{n}" for n in range(3)]
    table = np.loadtxt(job.root / "output/data/predictions.csv", delimiter=",")
    assert table.shape == (400, 2)
    assert list(ended.metrics[-1]) == ["train-rmse", "validation-rmse"]


def test_two_hosts_train_one_model_of_the_data_of_both(tmp_path: Path) -> None:
    """Addresses of the loopback network stand for hosts, so that no other test has the same."""
    hosts = [f"127.{tmp_path.stat().st_ino % 200 + 10}.7.{number}" for number in (1, 2)]
    jobs = [Job(tmp_path / host) for host in hosts]
    features = drawn(400, 5, 1)
    labels = linear(features)
    values = {**REGRESSION, "tree_method": "hist"}
    for number, job in enumerate(jobs):
        write_csv(job.channel("train") / "part.csv", labels[number::2], features[number::2])
        write_csv(job.channel("validation") / "part.csv", labels[number::2], features[number::2])
        job.configure(values, resources={"hosts": hosts, "current_host": hosts[number]})
    ended = run_together(jobs)
    assert [code for code, _, _ in ended] == [0, 0], ended
    assert ["\t" in printed for _, printed, _ in ended] == [True, False]  # the first host logs for both
    assert [job.model.exists() for job in jobs] == [True, False]
    error = np.sqrt(np.mean((loaded(jobs[0]).predict(xgboost.DMatrix(features)) - labels) ** 2))
    assert f"\ttrain-rmse:{error:.5f}\t" in ended[0][1].splitlines()[-1]


def test_a_host_without_data_leaves_the_others_to_train(tmp_path: Path) -> None:
    hosts = [f"127.{tmp_path.stat().st_ino % 200 + 10}.8.{number}" for number in (1, 2)]
    jobs = [Job(tmp_path / host) for host in hosts]
    features = drawn(100, 3, 1)
    write_csv(jobs[1].channel("train") / "part.csv", linear(features), features)
    jobs[0].channel("train")
    for host, job in zip(hosts, jobs, strict=True):
        job.configure(REGRESSION, resources={"hosts": hosts, "current_host": host})
    ended = run_together(jobs)
    assert [code for code, _, _ in ended] == [0, 0], ended
    assert "not being used for distributed training" in ended[0][2]
    assert [job.model.exists() for job in jobs] == [False, True]


def run_together(jobs: list[Job]) -> list[tuple[int, str, str]]:
    started = [job.start() for job in jobs]
    try:
        ended = [process.communicate(timeout=120) for process in started]
    except subprocess.TimeoutExpired:
        for process in started:
            process.kill()
        ended = [process.communicate() for process in started]
    return [(process.returncode, *texts) for process, texts in zip(started, ended, strict=True)]
