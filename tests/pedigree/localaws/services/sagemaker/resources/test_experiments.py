"""Experiments are stored, described and listed."""

from __future__ import annotations

from tests.support.local_aws import client


def test_an_experiment_is_listed_until_it_is_deleted(url: str) -> None:
    sagemaker = client(url, "sagemaker")
    sagemaker.create_experiment(ExperimentName="dogs")
    assert sagemaker.describe_experiment(ExperimentName="dogs")["ExperimentName"] == "dogs"
    assert [summary["ExperimentName"] for summary in sagemaker.list_experiments()["ExperimentSummaries"]] == ["dogs"]
    sagemaker.delete_experiment(ExperimentName="dogs")
    assert sagemaker.list_experiments()["ExperimentSummaries"] == []
