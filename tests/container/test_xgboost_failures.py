"""What the built-in XGBoost refuses: each failure is in AWS's words, where SageMaker reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from xgboost_jobs import Job

from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_xgboost_container import data_utils
from sagemaker_xgboost_container.algorithm_mode import channel_validation, hyperparameter_validation

ROUNDS = {"num_round": "5"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, +inf)"),
        ({"num_round": "ten"}, "Hyperparameter num_round: could not parse value (caused by ValueError)"),
        ({**ROUNDS, "depth": "3"}, "Extraneous hyperparameter found: depth"),
        ({**ROUNDS, "silent": "0"}, "Extraneous hyperparameter found: silent"),
        ({**ROUNDS, "eta": "1.5"}, "Hyperparameter eta: 1.5 is not in [0, 1]"),
        ({**ROUNDS, "learning_rate": "2"}, "Hyperparameter eta: 2.0 is not in [0, 1]"),
        ({**ROUNDS, "subsample": "0"}, "Hyperparameter subsample: 0.0 is not in (0, 1]"),
        ({**ROUNDS, "tweedie_variance_power": "2"}, "Hyperparameter tweedie_variance_power: 2.0 is not in (1, 2)"),
        ({**ROUNDS, "booster": "tree"}, "Hyperparameter booster: tree is not in ['gbtree', 'gblinear', 'dart']"),
        (
            {**ROUNDS, "objective": "multi:softmax"},
            "Require input for parameter 'num_class' for multi-classification",
        ),
        (
            {**ROUNDS, "eval_metric": "auc"},
            "Metric 'auc' can only be applied for classification and ranking problems.",
        ),
        (
            {**ROUNDS, "eval_metric": "rmse@2"},
            "Metric 'rmse@2' is not supported. Parameter 'eval_metric' with customized threshold should "
            "be one of these options: 'error', 'ndcg', 'map'.",
        ),
        ({**ROUNDS, "eval_metric": "error@x"}, "Threshold value 't' in 'error@t' expects float input."),
        (
            {**ROUNDS, "monotone_constraints": "(1, 0)"},
            "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'.",
        ),
        (
            {**ROUNDS, "monotone_constraints": "(2, 0)"},
            "Hyperparameter monotone_constraints: value (2, 0) not in range [-1, 0, 1]",
        ),
        (
            {**ROUNDS, "process_type": "update", "updater": "sync"},
            "process_type 'update' can only be used with updater 'refresh' and 'prune'",
        ),
        (
            {**ROUNDS, "booster": "gblinear", "updater": "prune"},
            "Linear updater should be one of these options: 'shotgun', 'coord_descent'.",
        ),
        (
            {**ROUNDS, "updater": "distcol,grow_colmaker"},
            "Only one tree grow plugin can be selected. Choose one from the"
            "following: 'grow_colmaker', 'distcol', 'grow_histmaker', 'grow_skmaker'",
        ),
    ],
)
def test_hyperparameters_are_refused_in_the_words_of_the_container(given: dict[str, str], message: str) -> None:
    with pytest.raises(UserError) as raised:
        hyperparameter_validation.validated(given)
    assert str(raised.value) == message


def test_hyperparameters_become_what_they_say() -> None:
    texts = {**ROUNDS, "reg_lambda": "2", "eval_metric": "rmse,error@0.7", "interaction_constraints": "[[1, 2], [3]]"}
    assert hyperparameter_validation.validated({**texts, "tree_method": "hist"}) == {
        "num_round": 5,
        "lambda": 2.0,
        "eval_metric": ["rmse", "error@0.7"],
        "interaction_constraints": [[1, 2], [3]],
        "tree_method": "hist",
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"validation": {}}, "Missing required channel: train"),
        ({"train": {}, "test": {}}, "Extraneous channel found: test"),
        ({"train": {"ContentType": "text/plain"}}, "Channel configuration for 'train' channel is not supported"),
        ({"train": {"ContentType": "libsvm", "TrainingInputMode": "Pipe"}}, "'train' channel is not supported"),
    ],
)
def test_channels_are_refused_in_the_words_of_the_container(given: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        channel_validation.validated(given)


def test_a_channel_without_a_content_type_is_libsvm_as_on_aws() -> None:
    assert channel_validation.validated({"train": {}})["train"]["ContentType"] == "text/libsvm"


@pytest.mark.parametrize(
    ("content", "content_type", "reason"),
    [
        ("name,value\n1,2\n", "text/csv", "UserError: Failed to load csv data with exception:\n"),
        ("1,2\n", "text/libsvm", "UserError: First line '1,2\n...' of file 'part' is not 'LIBSVM' format."),
        ("1 0:1\n", "application/x-parquet", "UserError: Failed to load parquet data with exception:\n"),
        ("1 0:1\n", "application/x-recordio-protobuf", "UserError: the local AWS reads no recordio-protobuf; give"),
        ("", "text/csv", "UserError: No data in training channel path"),
    ],
)
def test_data_that_cannot_be_read_is_the_users_failure(
    tmp_path: Path, content: str, content_type: str, reason: str
) -> None:
    job = Job(tmp_path)
    (job.channel("train") / "part").write_text(content)
    job.configure(ROUNDS, content_type)
    ended = job.run()
    assert ended.code == 1
    assert job.failure.startswith("framework error: \nsagemaker_algorithm_toolkit.exceptions.UserError: ")
    assert reason in job.failure
    assert "Reporting training FAILURE" in ended.logged


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        ({"objective": "binary:logistic"}, "UserError", "label must be in [0,1] for logistic regression"),
        ({"updater": "refresh"}, "AlgorithmError", "XGB train call failed with exception:\n"),
    ],
)
def test_what_the_library_refuses_is_the_users_or_the_algorithms_failure(
    tmp_path: Path, values: dict[str, str], kind: str, reason: str
) -> None:
    job = Job(tmp_path)
    (job.channel("train") / "part").write_text("-7,1,2\n8,2,3\n")
    job.configure({**ROUNDS, **values, "process_type": "update"} if "updater" in values else {**ROUNDS, **values})
    assert job.run().code == 1
    assert f"sagemaker_algorithm_toolkit.exceptions.{kind}: " in job.failure
    assert reason in job.failure


def test_a_hidden_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".part.crc").write_text("x")
    with pytest.raises(UserError, match=r"Hidden file found in the data path! Remove that before training\."):
        data_utils.get_size(tmp_path)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [(None, "libsvm"), ("text/csv; label_size=1; charset=utf8", "csv"), ("text/x-libsvm", "libsvm")],
)
def test_content_types_are_kinds_of_data(content_type: str | None, kind: str) -> None:
    assert data_utils.get_content_type(content_type) == kind


def test_labels_of_more_than_one_column_are_refused() -> None:
    with pytest.raises(UserError, match="Optional parameter label_size must be equal to 1"):
        data_utils.get_content_type("text/csv;label_size=2")
