"""The events that SageMaker publishes about endpoints, models and model packages, member by member.

The titles and members are those of "Events that Amazon SageMaker AI sends to Amazon EventBridge" in the developer
guide; the events of executions and jobs have their own tests beside what they are about.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.daemon import LocalAws
from tests.support.endpoints import create_configuration, create_endpoint, describe_endpoint
from tests.support.local_aws import arn, client, running_local_aws
from tests.support.queues import QueueReader, create_queue
from tests.support.waiting import until

ENDPOINT, DEPLOYMENT = "SageMaker Endpoint State Change", "SageMaker Endpoint Deployment State Change"
MODEL, PACKAGE = "SageMaker Model State Change", "SageMaker Model Package State Change"
IMAGE = "257758044811.dkr.ecr.us-east-2.amazonaws.com/sagemaker-xgboost:1.0-1-cpu-py3"
ENDPOINT_ARN = arn("sagemaker", "endpoint/dogs")
BAKING_ALARMS = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {
            "Type": "CANARY",
            "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1},
            "WaitIntervalInSeconds": 1,
        }
    }
}


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path) as local:
        client(local.url, "s3").create_bucket(Bucket="bucket")
        yield local


class Events:
    """What a rule sends of SageMaker's events of some types to a queue."""

    def __init__(self, url: str, *titles: str) -> None:
        queue = create_queue(url, "events")
        events = client(url, "events")
        pattern = {"source": ["aws.sagemaker"], "detail-type": list(titles)}
        events.put_rule(Name="all", EventPattern=json.dumps(pattern))
        events.put_targets(Rule="all", Targets=[{"Id": "1", "Arn": arn("sqs", "events")}])
        self._reader = QueueReader(url, queue)

    def wait(self, count: int) -> list[dict[str, Any]]:
        """So many events in the order of their times."""
        until(lambda: self._reader.count() >= count, expected=True)
        return list(self._reader.bodies())


def test_an_endpoints_event_has_its_status_in_upper_case(local: LocalAws) -> None:
    events = Events(local.url, ENDPOINT)
    create_endpoint(local.url)
    client(local.url, "sagemaker").add_tags(ResourceArn=ENDPOINT_ARN, Tags=[{"Key": "who", "Value": "ann"}])
    client(local.url, "sagemaker").delete_endpoint(EndpointName="dogs")
    found = {event["detail"]["EndpointStatus"]: event for event in events.wait(3)}
    assert sorted(found) == ["CREATING", "DELETING", "IN_SERVICE"]
    event, detail = found["IN_SERVICE"], found["IN_SERVICE"]["detail"]
    assert event["resources"] == [ENDPOINT_ARN]
    variant = detail["ProductionVariants"][0]
    assert (variant["VariantName"], variant["DesiredWeight"], variant["DesiredInstanceCount"]) == ("all", 1.0, 1)
    assert {member: type(detail[member]) for member in ("CreationTime", "LastModifiedTime")} == {
        "CreationTime": float,
        "LastModifiedTime": float,
    }
    named = ("EndpointName", "EndpointArn", "EndpointConfigName", "Tags")
    assert [detail[member] for member in named] == ["dogs", ENDPOINT_ARN, "v1", {}]
    assert found["DELETING"]["detail"]["Tags"] == {"who": "ann"}


def test_a_deployment_says_how_far_it_is(local: LocalAws) -> None:
    create_endpoint(local.url, count=2)
    create_configuration(local.url, "v2", count=2)
    events = Events(local.url, DEPLOYMENT)
    client(local.url, "sagemaker").update_endpoint(
        EndpointName="dogs", EndpointConfigName="v2", DeploymentConfig=BAKING_ALARMS
    )
    until(lambda: describe_endpoint(local.url)["EndpointStatus"], "InService", seconds=120)
    details = [event["detail"] for event in events.wait(5)]
    pending = [detail["PendingDeploymentSummary"] for detail in details]
    statuses = [summary["ProductionVariants"][0]["VariantStatus"][0] for summary in pending]
    statuses.sort(key=lambda status: status["StartTime"])
    assert [(status["Status"], status["StatusMessage"]) for status in statuses] == [
        ("Creating", "Launching 2 instance(s)."),
        ("ActivatingTraffic", "Activating traffic on canary capacity of 1 instance(s)."),
        (
            "Baking",
            "Baking for 1 seconds (TerminationWaitInSeconds) with traffic enabled on canary capacity of 1 instance(s).",
        ),
        ("ActivatingTraffic", "Activating traffic on full capacity of 2 instance(s)."),
        (
            "Baking",
            "Baking for 1 seconds (TerminationWaitInSeconds) with traffic enabled on full capacity of 2 instance(s).",
        ),
    ]
    assert {(detail["EndpointStatus"], detail["EndpointConfigName"]) for detail in details} == {("UPDATING", "v1")}
    assert {summary["EndpointConfigName"] for summary in pending} == {"v2"}


def test_a_variant_that_is_scaled_says_to_how_many(local: LocalAws) -> None:
    create_endpoint(local.url)
    events = Events(local.url, DEPLOYMENT)
    client(local.url, "sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="dogs", DesiredWeightsAndCapacities=[{"VariantName": "all", "DesiredInstanceCount": 2}]
    )
    (variant,) = events.wait(1)[0]["detail"]["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 2)
    (status,) = variant["VariantStatus"]
    assert (status["Status"], status["StatusMessage"]) == ("Updating", "Scaling out desired instance count to 2.")
    until(lambda: describe_endpoint(local.url)["EndpointStatus"], "InService")
    assert "VariantStatus" not in describe_endpoint(local.url)["ProductionVariants"][0]


def test_a_model_that_is_created_or_deleted_is_an_event(local: LocalAws) -> None:
    events = Events(local.url, MODEL)
    sagemaker = client(local.url, "sagemaker")
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": "image"}, Tags=[{"Key": "a", "Value": "b"}])
    sagemaker.delete_model(ModelName="m")
    for event in events.wait(2):
        assert event["resources"] == [arn("sagemaker", "model/m")]
        assert (event["detail"]["ModelName"], event["detail"]["Tags"]) == ("m", {"a": "b"})


def test_a_versions_event_has_all_that_its_description_has(local: LocalAws) -> None:
    events = Events(local.url, PACKAGE)
    sagemaker = client(local.url, "sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="dogs")
    specification = {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    generated = {"GeneratedBy": "arn:of-an-execution"}
    package = sagemaker.create_model_package(
        ModelPackageGroupName="dogs", InferenceSpecification=specification, MetadataProperties=generated
    )["ModelPackageArn"]
    (created,) = events.wait(1)
    digest = created["detail"]["InferenceSpecification"]["Containers"][0].pop("ImageDigest")
    assert (created["resources"], digest[:7], created["detail"]["CreationTime"][-1]) == ([package], "sha256:", "Z")
    assert created["detail"] == {
        "ModelPackageGroupName": "dogs",
        "ModelPackageVersion": 1,
        "ModelPackageArn": package,
        "CreationTime": created["detail"]["CreationTime"],
        "InferenceSpecification": specification,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
        "ModelApprovalStatus": "PendingManualApproval",
        "MetadataProperties": generated,
        "LastModifiedTime": created["detail"]["CreationTime"],
    }
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Rejected")
    rejected = events.wait(2)[-1]["detail"]
    assert (rejected["ModelApprovalStatus"], rejected["UpdatedModelPackageFields"]) == (
        "Rejected",
        ["ModelApprovalStatus"],
    )
