"""Pipelines of the local AWS: versions and their aliases, what a start must bring, and what a pipeline's end needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.http.protocol.errors import ServiceError
from tests.support import worlds
from tests.support.local_sagemaker import Sage

FIRST: dict[str, Any] = {"Name": "First", "Type": "Training", "Arguments": {"HyperParameters": {}}}
NEXT: dict[str, Any] = {
    "Name": "Next",
    "Type": "Training",
    "Arguments": {"HyperParameters": {"from": {"Get": "Steps.First.ModelArtifacts.S3ModelArtifacts"}}},
}
MODEL = {"ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/model.tar.gz"}}
ARN = f"arn:aws:sagemaker:us-east-1:{worlds.ACCOUNT}:pipeline/dogs"


@pytest.fixture
def sage(tmp_path: Path) -> Sage:
    return Sage(tmp_path)


def token(letter: str) -> dict[str, str]:
    return {"ClientRequestToken": letter * 32}


def put(sage: Sage, operation: str, *steps: Any, **members: Any) -> dict[str, Any]:
    """Create or update the pipeline."""
    text = json.dumps({"Version": "2020-12-01", "Parameters": members.pop("parameters", []), "Steps": steps})
    asked = {"PipelineName": "dogs", "PipelineDefinition": text, "RoleArn": worlds.ROLE, **members}
    if operation == "CreatePipeline":
        asked.update(token("c"))
    return sage.service.answer(operation, asked)


def alias(sage: Sage, version: int, **operations: list[str]) -> None:
    asked = {"PipelineArn": ARN, "PipelineVersionId": version, "PipelineVersionAliasOperations": operations}
    sage.service.answer("UpdatePipelineVersion", asked)


def test_a_version_is_found_by_its_alias(sage: Sage) -> None:
    put(sage, "CreatePipeline", FIRST, PipelineVersionAliases=["live"])
    put(sage, "UpdatePipeline", FIRST, NEXT)
    asked = {"PipelineName": "dogs", "PipelineVersionAlias": "live"}
    described = sage.service.answer("DescribePipeline", asked)
    assert (len(json.loads(described["PipelineDefinition"])["Steps"]), described["PipelineVersionAliases"]) == (
        1,
        ["live"],
    )
    arn = sage.service.answer("StartPipelineExecution", {**asked, **token("s")})["PipelineExecutionArn"]
    assert (sage.described(arn)["PipelineVersionId"], sage.described(arn)["PipelineVersionAliases"]) == (1, ["live"])
    listed = sage.service.answer("ListPipelineExecutions", asked)["PipelineExecutionSummaries"]
    assert [one["PipelineExecutionArn"] for one in listed] == [arn]
    alias(sage, 1, Remove=["live"])
    alias(sage, 2, Add=["live"])
    assert len(json.loads(sage.service.answer("DescribePipeline", asked)["PipelineDefinition"])["Steps"]) == 2
    versions = sage.service.answer("ListPipelineVersions", {"PipelineName": "dogs"})["PipelineVersionSummaries"]
    assert [one["PipelineVersionAliases"] for one in versions] == [["live"], []]


@pytest.mark.parametrize(
    ("operations", "code", "told"),
    [
        ({"Add": ["live"]}, "ConflictException", "is version 1's; remove it from that version first"),
        ({"Add": ["12"]}, "ValidationException", "cannot consist of numbers only"),
        ({"Add": ["a"], "Remove": ["a"]}, "ValidationException", "cannot be both added and removed"),
    ],
)
def test_an_alias_that_cannot_be_is_refused(sage: Sage, operations: Any, code: str, told: str) -> None:
    put(sage, "CreatePipeline", FIRST, PipelineVersionAliases=["live"])
    put(sage, "UpdatePipeline", FIRST, NEXT)
    with pytest.raises(ServiceError, match=told) as refused:
        alias(sage, 2, **operations)
    assert refused.value.code == code


def test_a_version_that_is_not_there_is_told(sage: Sage) -> None:
    put(sage, "CreatePipeline", FIRST)
    with pytest.raises(ServiceError, match=r"version with the alias old .* does not exist"):
        sage.service.answer("DescribePipeline", {"PipelineName": "dogs", "PipelineVersionAlias": "old"})
    with pytest.raises(ServiceError, match=r"version 7 of .* does not exist"):
        sage.service.answer("DescribePipeline", {"PipelineName": "dogs", "PipelineVersionId": 7})


def test_a_parameter_without_a_default_must_be_given(sage: Sage) -> None:
    put(sage, "CreatePipeline", FIRST, parameters=[{"Name": "Data", "Type": "String"}])
    started = {"PipelineName": "dogs", **token("s")}
    with pytest.raises(ServiceError, match="Parameter Data has no default value in the pipeline definition"):
        sage.service.answer("StartPipelineExecution", started)
    given = [{"Name": "Data", "Value": "s3://bucket/in"}]
    assert sage.service.answer("StartPipelineExecution", {**started, "PipelineParameters": given})


def test_a_pipeline_that_runs_is_not_deleted_and_one_that_ran_goes_with_its_executions(sage: Sage) -> None:
    arn = sage.start(FIRST)
    sage.go(arn)
    with pytest.raises(ServiceError, match="has running executions") as refused:
        sage.service.answer("DeletePipeline", {"PipelineName": "dogs", **token("d")})
    assert refused.value.code == "ConflictException"
    sage.end("First", **MODEL)
    assert sage.go(arn) == "Succeeded"
    sage.service.answer("DeletePipeline", {"PipelineName": "dogs", **token("d")})
    with pytest.raises(ServiceError, match="does not exist"):
        sage.described(arn)
    put(sage, "CreatePipeline", FIRST)
    again = sage.service.answer("StartPipelineExecution", {"PipelineName": "dogs", **token("s")})
    sage.service.answer("StopPipelineExecution", {**again, **token("x")})
    assert sage.go(again["PipelineExecutionArn"]) == "Stopped"
    sage.service.answer("DeletePipeline", {"PipelineName": "dogs", **token("d")})
    put(sage, "CreatePipeline", FIRST)
    other = sage.service.answer("StartPipelineExecution", {"PipelineName": "dogs", **token("s")})
    assert other != again


def selected(sage: Sage, *names: str, source: str | None) -> str:
    selection: dict[str, Any] = {"SelectedSteps": [{"StepName": name} for name in names]}
    if source:
        selection["SourcePipelineExecutionArn"] = source
    return sage.start(FIRST, NEXT, SelectiveExecutionConfig=selection)


def test_selected_steps_need_a_source_that_has_what_they_use(sage: Sage) -> None:
    with pytest.raises(ServiceError, match="use what First came to, so a SourcePipelineExecutionArn is required"):
        selected(sage, "Next", source=None)
    failed = sage.start(FIRST, NEXT)
    sage.go(failed)
    with pytest.raises(ServiceError, match="is Executing; it must have succeeded or failed"):
        selected(sage, "Next", source=failed)
    sage.end("First", "Failed")
    assert sage.go(failed) == "Failed"
    with pytest.raises(ServiceError, match="use what First came to, and in the source execution"):
        selected(sage, "Next", source=failed)
    assert selected(sage, "First", source=failed)
    assert selected(sage, "First", source=None)


def test_a_source_is_an_execution_of_the_same_pipeline(sage: Sage) -> None:
    other = {"Version": "2020-12-01", "Steps": [FIRST]}
    asked = {"PipelineName": "cats", "PipelineDefinition": json.dumps(other), "RoleArn": worlds.ROLE}
    sage.service.answer("CreatePipeline", {**asked, **token("c")})
    started = sage.service.answer("StartPipelineExecution", {"PipelineName": "cats", **token("s")})
    with pytest.raises(ServiceError, match="is not one of the pipeline dogs"):
        selected(sage, "Next", source=started["PipelineExecutionArn"])
    with pytest.raises(ServiceError, match="does not exist"):
        selected(sage, "Next", source=f"{ARN}/execution/abcdefghijkl")


def test_a_retry_that_is_repeated_retries_once(sage: Sage) -> None:
    arn = sage.start(FIRST)
    sage.go(arn)
    sage.end("First", "Failed")
    assert sage.go(arn) == "Failed"
    for _ in range(2):
        sage.service.answer("RetryPipelineExecution", {"PipelineExecutionArn": arn, **token("r")})
    assert sage.go(arn) == "Executing"
    with pytest.raises(ServiceError, match="Only a failed or stopped execution can be retried"):
        sage.service.answer("RetryPipelineExecution", {"PipelineExecutionArn": arn, **token("q")})
