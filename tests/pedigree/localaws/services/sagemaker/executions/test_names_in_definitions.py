"""A name that a definition gives a job or a model is the beginning of the names that its executions make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.local_sagemaker import LocalSageMaker, training


@pytest.fixture
def sagemaker(tmp_path: Path) -> LocalSageMaker:
    return LocalSageMaker(tmp_path)


def named(name: Any) -> dict[str, Any]:
    step = training("Notebook")
    return {**step, "Arguments": {**step["Arguments"], "TrainingJobName": name}}


def test_each_execution_has_a_job_of_its_own(sagemaker: LocalSageMaker) -> None:
    for _ in range(2):
        sagemaker.go(sagemaker.start(named({"Get": "Parameters.Kind"})))
    first, second = sagemaker.jobs
    assert first != second
    assert all(name.startswith("a-") for name in (first, second))
    assert sagemaker.begun == ["Notebook", "Notebook"]


def test_a_long_name_is_cut(sagemaker: LocalSageMaker) -> None:
    sagemaker.go(sagemaker.start(named("n" * 63)))
    (name,) = sagemaker.jobs
    assert len(name) == 63
    assert name.startswith("nnn")


def test_a_restart_finds_the_job_again(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(named("nightly"))
    sagemaker.go(arn)
    sagemaker.restart()
    sagemaker.go(arn)
    assert len(sagemaker.jobs) == 1
    sagemaker.jobs[next(iter(sagemaker.jobs))]["TrainingJobStatus"] = "Completed"
    assert sagemaker.go(arn) == "Succeeded"


def test_each_execution_has_a_model_of_its_own(sagemaker: LocalSageMaker) -> None:
    container = {"Image": "image"}
    role = "arn:aws:iam::000000000000:role/model"
    arguments = {"ModelName": "served", "PrimaryContainer": container, "ExecutionRoleArn": role}
    for _ in range(2):
        assert sagemaker.go(sagemaker.start({"Name": "Create", "Type": "Model", "Arguments": arguments})) == "Succeeded"
    models = sagemaker.service.answer("ListModels", {})["Models"]
    assert len({model["ModelName"] for model in models}) == 2
    assert all(model["ModelName"].startswith("served-") for model in models)


def test_an_endpoint_has_the_name_that_it_is_given(sagemaker: LocalSageMaker) -> None:
    container = {"Image": "image"}
    role = "arn:aws:iam::000000000000:role/model"
    sagemaker.service.answer("CreateModel", {"ModelName": "m", "PrimaryContainer": container, "ExecutionRoleArn": role})
    variant = {"VariantName": "all", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    arguments = {"EndpointConfigName": "exactly-this", "ProductionVariants": [variant]}
    arn = sagemaker.start({"Name": "Config", "Type": "EndpointConfig", "Arguments": arguments})
    assert sagemaker.go(arn) == "Succeeded"
    described = sagemaker.service.answer("DescribeEndpointConfig", {"EndpointConfigName": "exactly-this"})
    assert described["ProductionVariants"][0]["ModelName"] == "m"
