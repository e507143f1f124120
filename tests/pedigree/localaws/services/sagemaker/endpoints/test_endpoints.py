"""Endpoints of the local AWS are real model servers, and change without a failed request."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import LocalAws, Options
from pedigree.localaws.services.sagemaker.endpoints.rollout import TrafficShift, rollout
from tests.support.endpoints import create_configuration, create_endpoint, describe_endpoint, invoke_endpoint
from tests.support.images import images_file
from tests.support.local_aws import client, running_local_aws, with_key
from tests.support.processes import find_process, is_alive
from tests.support.waiting import until


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path) as local:
        client(local.url, "s3").create_bucket(Bucket="bucket")
        yield local


def test_an_endpoint_answers_with_the_code_of_its_model(local: LocalAws) -> None:
    create_endpoint(local.url)
    answer = invoke_endpoint(local.url, {"a": 1})
    assert (answer["version"], answer["data"], answer["setting"]) == ("v1", {"a": 1}, "on")
    assert describe_endpoint(local.url)["ProductionVariants"][0]["CurrentInstanceCount"] == 1


def test_an_answer_names_the_variant_that_gave_it(local: LocalAws) -> None:
    create_endpoint(local.url)
    answer = client(local.url, "sagemaker-runtime").invoke_endpoint(
        EndpointName="dogs", Body=b"{}", ContentType="application/json"
    )
    assert answer["InvokedProductionVariant"] == "all"


def test_a_refusal_of_the_model_is_answered_with_its_status(local: LocalAws) -> None:
    create_endpoint(local.url)
    runtime = client(local.url, "sagemaker-runtime")
    for body, kind, status in ((b"{}", "text/plain", 415), (b'"boom"', "application/json", 500)):
        with pytest.raises(ClientError) as raised:
            runtime.invoke_endpoint(EndpointName="dogs", Body=body, ContentType=kind)
        assert raised.value.response["Error"]["Code"] == "ModelError"
        assert raised.value.response["OriginalStatusCode"] == status
    assert invoke_endpoint(local.url)["version"] == "v1"


def test_an_endpoint_that_does_not_exist_is_an_error(local: LocalAws) -> None:
    with pytest.raises(ClientError, match="not found"):
        invoke_endpoint(local.url)
    with pytest.raises(ClientError, match="Could not find endpoint"):
        describe_endpoint(local.url)


def test_a_model_that_does_not_load_fails_the_endpoint_with_its_reason(local: LocalAws) -> None:
    create_configuration(local.url, "v1", "broken")
    client(local.url, "sagemaker").create_endpoint(EndpointName="dogs", EndpointConfigName="v1")
    until(lambda: describe_endpoint(local.url)["EndpointStatus"], "Failed")
    assert "no weights here" in describe_endpoint(local.url)["FailureReason"]


def test_requests_are_dealt_out_among_the_instances(local: LocalAws) -> None:
    create_endpoint(local.url, count=2)
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(invoke_endpoint(local.url)["process"])) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 2


def test_a_killed_instance_is_replaced_and_no_request_fails(local: LocalAws) -> None:
    create_endpoint(local.url)
    first = invoke_endpoint(local.url)["process"]
    os.kill(find_process(first), signal.SIGKILL)
    assert invoke_endpoint(local.url)["process"] != first


def test_an_update_moves_to_the_new_version_without_a_failed_request(local: LocalAws) -> None:
    create_endpoint(local.url)
    create_configuration(local.url, "v2")
    versions: list[str] = []
    over = threading.Event()

    def keep_asking() -> None:
        while not over.is_set():
            versions.append(invoke_endpoint(local.url)["version"])

    asker = threading.Thread(target=keep_asking)
    asker.start()
    client(local.url, "sagemaker").update_endpoint(EndpointName="dogs", EndpointConfigName="v2")
    until(lambda: describe_endpoint(local.url)["EndpointStatus"], "InService")
    until(lambda: invoke_endpoint(local.url)["version"], "v2")
    over.set()
    asker.join()
    assert describe_endpoint(local.url)["EndpointConfigName"] == "v2"
    assert versions == sorted(versions)


def test_an_update_that_fails_leaves_what_was(local: LocalAws) -> None:
    create_endpoint(local.url)
    create_configuration(local.url, "v2", "broken")
    client(local.url, "sagemaker").update_endpoint(EndpointName="dogs", EndpointConfigName="v2")
    until(lambda: "rolled back" in describe_endpoint(local.url).get("FailureReason", ""), expected=True)
    now = describe_endpoint(local.url)
    assert (now["EndpointStatus"], now["EndpointConfigName"], invoke_endpoint(local.url)["version"]) == (
        "InService",
        "v1",
        "v1",
    )


def test_instances_come_and_go(local: LocalAws) -> None:
    create_endpoint(local.url)
    for count in (3, 1):
        capacities = [{"VariantName": "all", "DesiredInstanceCount": count}]
        sagemaker = client(local.url, "sagemaker")
        sagemaker.update_endpoint_weights_and_capacities(EndpointName="dogs", DesiredWeightsAndCapacities=capacities)
        until(lambda: describe_endpoint(local.url)["ProductionVariants"][0]["CurrentInstanceCount"], count)
        until(lambda: describe_endpoint(local.url)["EndpointStatus"], "InService")


def test_an_endpoint_that_is_being_changed_is_left_alone(local: LocalAws) -> None:
    create_configuration(local.url, "v1")
    sagemaker = client(local.url, "sagemaker")
    sagemaker.create_endpoint(EndpointName="dogs", EndpointConfigName="v1")
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        sagemaker.update_endpoint(EndpointName="dogs", EndpointConfigName="v1")
    until(lambda: describe_endpoint(local.url)["EndpointStatus"], "InService")


def test_a_deleted_endpoint_leaves_no_process(local: LocalAws) -> None:
    create_endpoint(local.url)
    process = invoke_endpoint(local.url)["process"]
    client(local.url, "sagemaker").delete_endpoint(EndpointName="dogs")
    until(lambda: is_alive(process), expected=False)
    with pytest.raises(ClientError, match="Could not find endpoint"):
        until(lambda: describe_endpoint(local.url)["EndpointStatus"], "Deleted")


def test_an_endpoint_is_there_again_after_a_restart(tmp_path: Path) -> None:
    first = LocalAws(Options(with_key(tmp_path), enforces_iam=False, images=images_file(tmp_path)))
    first.start()
    client(first.url, "s3").create_bucket(Bucket="bucket")
    create_endpoint(first.url)
    process = invoke_endpoint(first.url)["process"]
    first.stop()
    assert not is_alive(process)
    second = LocalAws(Options(with_key(tmp_path), enforces_iam=False, images=images_file(tmp_path)))
    second.start()
    deadline = time.monotonic() + 60
    while not second.is_serving("dogs") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert invoke_endpoint(second.url)["version"] == "v1"
    second.stop()


CANARY = {"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 30}, "WaitIntervalInSeconds": 5}
LINEAR = {"Type": "LINEAR", "LinearStepSize": {"Type": "INSTANCE_COUNT", "Value": 2}, "WaitIntervalInSeconds": 7}


@pytest.mark.parametrize(
    ("routing", "instances", "moves"),
    [
        ({"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 3}, 4, (TrafficShift(1.0, 3),)),
        (CANARY, 4, (TrafficShift(0.5, 5), TrafficShift(1.0, 5))),
        (CANARY, 1, (TrafficShift(1.0, 5), TrafficShift(1.0, 5))),
        (LINEAR, 5, (TrafficShift(0.4, 7), TrafficShift(0.8, 7), TrafficShift(1.0, 7))),
        (LINEAR, 4, (TrafficShift(0.5, 7), TrafficShift(1.0, 7))),
    ],
)
def test_traffic_moves_in_whole_instances(
    routing: dict[str, Any], instances: int, moves: tuple[TrafficShift, ...]
) -> None:
    config = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    assert rollout(config, instances).moves == moves


def test_a_busy_endpoint_gets_more_instances_and_cloudwatch_knows_why(local: LocalAws) -> None:
    create_endpoint(local.url)
    scaling = client(local.url, "application-autoscaling")
    variant = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/dogs/variant/all",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=3)
    scaling.put_scaling_policy(
        **variant,
        PolicyName="tracking",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 5.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        },
    )
    for _ in range(9):
        invoke_endpoint(local.url)
    until(lambda: describe_endpoint(local.url)["ProductionVariants"][0]["CurrentInstanceCount"], 2)
    (activity,) = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")["ScalingActivities"]
    assert "9 invocations an instance and minute are above the target 5" in activity["Cause"]
    metrics = client(local.url, "cloudwatch").list_metrics(Namespace="AWS/SageMaker")["Metrics"]
    assert {"Invocations", "ModelLatency", "OverheadLatency"} <= {metric["MetricName"] for metric in metrics}
