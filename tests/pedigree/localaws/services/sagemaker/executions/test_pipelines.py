"""Pipelines of the local AWS: versions and their aliases, what a start must bring, and what a pipeline's end needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.http.protocol.errors import ServiceError
from tests.support import worlds
from tests.support.local_sagemaker import LocalSageMaker

FIRST: dict[str, Any] = {"Name": "First", "Type": "Training", "Arguments": {"HyperParameters": {}}}
NEXT: dict[str, Any] = {
    "Name": "Next",
    "Type": "Training",
    "Arguments": {"HyperParameters": {"from": {"Get": "Steps.First.ModelArtifacts.S3ModelArtifacts"}}},
}
MODEL = {"ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/model.tar.gz"}}
ARN = f"arn:aws:sagemaker:us-east-1:{worlds.ACCOUNT}:pipeline/dogs"


@pytest.fixture
def sagemaker(tmp_path: Path) -> LocalSageMaker:
    return LocalSageMaker(tmp_path)


def token(letter: str) -> dict[str, str]:
    return {"ClientRequestToken": letter * 32}


def put(sagemaker: LocalSageMaker, operation: str, *steps: Any, **members: Any) -> dict[str, Any]:
    """Create or update the pipeline."""
    text = json.dumps({"Version": "2020-12-01", "Parameters": members.pop("parameters", []), "Steps": steps})
    request = {"PipelineName": "dogs", "PipelineDefinition": text, "RoleArn": worlds.ROLE, **members}
    if operation == "CreatePipeline":
        request.update(token("c"))
    return sagemaker.service.answer(operation, request)


def alias(sagemaker: LocalSageMaker, version: int, **operations: list[str]) -> None:
    request = {"PipelineArn": ARN, "PipelineVersionId": version, "PipelineVersionAliasOperations": operations}
    sagemaker.service.answer("UpdatePipelineVersion", request)


def test_a_version_is_found_by_its_alias(sagemaker: LocalSageMaker) -> None:
    put(sagemaker, "CreatePipeline", FIRST, PipelineVersionAliases=["live"])
    put(sagemaker, "UpdatePipeline", FIRST, NEXT)
    request = {"PipelineName": "dogs", "PipelineVersionAlias": "live"}
    described = sagemaker.service.answer("DescribePipeline", request)
    assert (len(json.loads(described["PipelineDefinition"])["Steps"]), described["PipelineVersionAliases"]) == (
        1,
        ["live"],
    )
    arn = sagemaker.service.answer("StartPipelineExecution", {**request, **token("s")})["PipelineExecutionArn"]
    assert (sagemaker.described(arn)["PipelineVersionId"], sagemaker.described(arn)["PipelineVersionAliases"]) == (
        1,
        ["live"],
    )
    listed = sagemaker.service.answer("ListPipelineExecutions", request)["PipelineExecutionSummaries"]
    assert [execution["PipelineExecutionArn"] for execution in listed] == [arn]
    alias(sagemaker, 1, Remove=["live"])
    alias(sagemaker, 2, Add=["live"])
    assert len(json.loads(sagemaker.service.answer("DescribePipeline", request)["PipelineDefinition"])["Steps"]) == 2
    versions = sagemaker.service.answer("ListPipelineVersions", {"PipelineName": "dogs"})["PipelineVersionSummaries"]
    assert [version["PipelineVersionAliases"] for version in versions] == [["live"], []]


@pytest.mark.parametrize(
    ("operations", "code", "message"),
    [
        ({"Add": ["live"]}, "ConflictException", "is version 1's; remove it from that version first"),
        ({"Add": ["12"]}, "ValidationException", "cannot consist of numbers only"),
        ({"Add": ["a"], "Remove": ["a"]}, "ValidationException", "cannot be both added and removed"),
    ],
)
def test_an_alias_that_cannot_be_is_refused(
    sagemaker: LocalSageMaker, operations: Any, code: str, message: str
) -> None:
    put(sagemaker, "CreatePipeline", FIRST, PipelineVersionAliases=["live"])
    put(sagemaker, "UpdatePipeline", FIRST, NEXT)
    with pytest.raises(ServiceError, match=message) as refused:
        alias(sagemaker, 2, **operations)
    assert refused.value.code == code


def test_a_version_that_does_not_exist_is_an_error(sagemaker: LocalSageMaker) -> None:
    put(sagemaker, "CreatePipeline", FIRST)
    with pytest.raises(ServiceError, match=r"version with the alias old .* does not exist"):
        sagemaker.service.answer("DescribePipeline", {"PipelineName": "dogs", "PipelineVersionAlias": "old"})
    with pytest.raises(ServiceError, match=r"version 7 of .* does not exist"):
        sagemaker.service.answer("DescribePipeline", {"PipelineName": "dogs", "PipelineVersionId": 7})


def test_a_parameter_without_a_default_must_be_given(sagemaker: LocalSageMaker) -> None:
    put(sagemaker, "CreatePipeline", FIRST, parameters=[{"Name": "Data", "Type": "String"}])
    started = {"PipelineName": "dogs", **token("s")}
    with pytest.raises(ServiceError, match="Parameter Data has no default value in the pipeline definition"):
        sagemaker.service.answer("StartPipelineExecution", started)
    given = [{"Name": "Data", "Value": "s3://bucket/in"}]
    assert sagemaker.service.answer("StartPipelineExecution", {**started, "PipelineParameters": given})


def test_a_pipeline_that_runs_is_not_deleted_and_one_that_ran_goes_with_its_executions(
    sagemaker: LocalSageMaker,
) -> None:
    arn = sagemaker.start(FIRST)
    sagemaker.go(arn)
    with pytest.raises(ServiceError, match="has running executions") as refused:
        sagemaker.service.answer("DeletePipeline", {"PipelineName": "dogs", **token("d")})
    assert refused.value.code == "ConflictException"
    sagemaker.end("First", **MODEL)
    assert sagemaker.go(arn) == "Succeeded"
    sagemaker.service.answer("DeletePipeline", {"PipelineName": "dogs", **token("d")})
    with pytest.raises(ServiceError, match="does not exist"):
        sagemaker.described(arn)
    put(sagemaker, "CreatePipeline", FIRST)
    again = sagemaker.service.answer("StartPipelineExecution", {"PipelineName": "dogs", **token("s")})
    sagemaker.service.answer("StopPipelineExecution", {**again, **token("x")})
    assert sagemaker.go(again["PipelineExecutionArn"]) == "Stopped"
    sagemaker.service.answer("DeletePipeline", {"PipelineName": "dogs", **token("d")})
    put(sagemaker, "CreatePipeline", FIRST)
    other = sagemaker.service.answer("StartPipelineExecution", {"PipelineName": "dogs", **token("s")})
    assert other != again


def selected(sagemaker: LocalSageMaker, *names: str, source: str | None) -> str:
    selection: dict[str, Any] = {"SelectedSteps": [{"StepName": name} for name in names]}
    if source:
        selection["SourcePipelineExecutionArn"] = source
    return sagemaker.start(FIRST, NEXT, SelectiveExecutionConfig=selection)


def test_selected_steps_need_a_source_that_has_what_they_use(sagemaker: LocalSageMaker) -> None:
    with pytest.raises(ServiceError, match="use what First came to, so a SourcePipelineExecutionArn is required"):
        selected(sagemaker, "Next", source=None)
    failed = sagemaker.start(FIRST, NEXT)
    sagemaker.go(failed)
    with pytest.raises(ServiceError, match="is Executing; it must have succeeded or failed"):
        selected(sagemaker, "Next", source=failed)
    sagemaker.end("First", "Failed")
    assert sagemaker.go(failed) == "Failed"
    with pytest.raises(ServiceError, match="use what First came to, and in the source execution"):
        selected(sagemaker, "Next", source=failed)
    assert selected(sagemaker, "First", source=failed)
    assert selected(sagemaker, "First", source=None)


def test_a_source_is_an_execution_of_the_same_pipeline(sagemaker: LocalSageMaker) -> None:
    other = {"Version": "2020-12-01", "Steps": [FIRST]}
    request = {"PipelineName": "cats", "PipelineDefinition": json.dumps(other), "RoleArn": worlds.ROLE}
    sagemaker.service.answer("CreatePipeline", {**request, **token("c")})
    started = sagemaker.service.answer("StartPipelineExecution", {"PipelineName": "cats", **token("s")})
    with pytest.raises(ServiceError, match="is not one of the pipeline dogs"):
        selected(sagemaker, "Next", source=started["PipelineExecutionArn"])
    with pytest.raises(ServiceError, match="does not exist"):
        selected(sagemaker, "Next", source=f"{ARN}/execution/abcdefghijkl")


def test_a_retry_that_is_repeated_retries_once(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(FIRST)
    sagemaker.go(arn)
    sagemaker.end("First", "Failed")
    assert sagemaker.go(arn) == "Failed"
    for _ in range(2):
        sagemaker.service.answer("RetryPipelineExecution", {"PipelineExecutionArn": arn, **token("r")})
    assert sagemaker.go(arn) == "Executing"
    with pytest.raises(ServiceError, match="Only a failed or stopped execution can be retried"):
        sagemaker.service.answer("RetryPipelineExecution", {"PipelineExecutionArn": arn, **token("q")})


@pytest.mark.parametrize("name", [{"Get": "Nothing"}, {"Get": "Steps.First.TrainingJobName"}, {"Get": "Parameters.No"}])
def test_an_experiment_without_a_name_is_refused_at_the_start(sagemaker: LocalSageMaker, name: Any) -> None:
    experiment = {"ExperimentName": name, "TrialName": "trial"}
    text = json.dumps({"Version": "2020-12-01", "PipelineExperimentConfig": experiment, "Steps": [FIRST]})
    request = {"PipelineName": "dogs", "PipelineDefinition": text, "RoleArn": worlds.ROLE, **token("c")}
    sagemaker.service.answer("CreatePipeline", request)
    with pytest.raises(ServiceError, match=r"PipelineExperimentConfig: .+"):
        sagemaker.service.answer("StartPipelineExecution", {"PipelineName": "dogs", **token("s")})
