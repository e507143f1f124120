"""Unsupported members are refused by name, wherever they stand in a request."""

from __future__ import annotations

from typing import Any

import pytest

from pedigree.language.shapes import service
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.sagemaker.resources.unsupported import UNSUPPORTED, refuse

SOURCE = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}


def channel(**members: Any) -> dict[str, Any]:
    return {"InputDataConfig": [{"ChannelName": "a", "DataSource": {"S3DataSource": SOURCE}}, members]}


@pytest.mark.parametrize(
    ("operation", "request_body", "unsupported"),
    [
        ("CreateTrainingJob", channel(InputMode="Pipe"), "InputDataConfig[1].InputMode Pipe"),
        (
            "CreateTrainingJob",
            channel(DataSource={"FileSystemDataSource": {"FileSystemId": "fs-1"}}),
            "InputDataConfig[1].DataSource.FileSystemDataSource",
        ),
        ("CreateTrainingJob", {"ResourceConfig": {"InstanceGroups": [{}]}}, "ResourceConfig.InstanceGroups"),
        (
            "CreateHyperParameterTuningJob",
            {"TrainingJobDefinitions": [{}, {"AlgorithmSpecification": {"TrainingInputMode": "Pipe"}}]},
            "TrainingJobDefinitions[1].AlgorithmSpecification.TrainingInputMode Pipe",
        ),
        (
            "CreateProcessingJob",
            {"ProcessingInputs": [{"DatasetDefinition": {"LocalPath": "/opt/ml/in"}}]},
            "ProcessingInputs[0].DatasetDefinition",
        ),
        (
            "CreateModel",
            {"Containers": [{}, {"AdditionalModelDataSources": [{}]}]},
            "Containers[1].AdditionalModelDataSources",
        ),
        (
            "CreateEndpointConfig",
            {"AsyncInferenceConfig": {"OutputConfig": {"NotificationConfig": {"ErrorTopic": "arn:of-a-topic"}}}},
            "AsyncInferenceConfig.OutputConfig.NotificationConfig.ErrorTopic",
        ),
    ],
)
def test_unsupported_members_are_refused(operation: str, request_body: dict[str, Any], unsupported: str) -> None:
    with pytest.raises(ServiceError) as refused:
        refuse(operation, request_body)
    assert (refused.value.code, str(refused.value)) == (
        "ValidationException",
        f"The local AWS does not carry out {unsupported}.",
    )


@pytest.mark.parametrize(
    ("operation", "request_body"),
    [
        ("CreateTrainingJob", channel(InputMode="FastFile")),
        ("CreateTrainingJob", {"InputDataConfig": {"Get": "Parameters.Channels"}}),
        ("CreateTrainingJob", {"AlgorithmSpecification": {"TrainingInputMode": {"Get": "Parameters.Mode"}}}),
        ("CreateTrainingJob", {"ResourceConfig": {"InstanceCount": 1, "InstanceGroups": []}}),
        ("CreateModel", {"Containers": [{"Image": "a"}, {"Image": "b"}]}),
        ("DescribeModel", {"Containers": [{}, {}]}),
    ],
)
def test_everything_else_passes(operation: str, request_body: dict[str, Any]) -> None:
    refuse(operation, request_body)


@pytest.mark.parametrize(
    ("operation", "place"), [(operation, place) for operation, places in UNSUPPORTED.items() for place in places]
)
def test_each_place_is_one_that_the_service_knows(operation: str, place: str) -> None:
    members, _, value = place.partition("=")
    shape = service().operation_model(operation).input_shape
    for member in members.split("."):
        shape = shape.members[member.partition("[")[0]]
        shape = shape.member if "[" in member else shape
    assert not value or value in shape.enum
