"""Endpoints of the local AWS are real model servers, and change without a failed request."""

from __future__ import annotations

import io
import json
import os
import signal
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import ACCOUNT, LocalAws, Options
from pedigree.localaws.services.sagemaker.endpoints.rollout import Move, rollout
from tests.pedigree.localaws.test_local_aws import client, until

ROLE = f"arn:aws:iam::{ACCOUNT}:role/model"
CODE = """
import json, os
def model_fn(folder):
    if os.path.exists(folder + "/broken"):
        raise RuntimeError("no weights here")
    return open(folder + "/version").read()
def input_fn(body, kind):
    if kind != "application/json":
        error = ValueError("send JSON"); error.status_code = 415; raise error
    return json.loads(body)
def predict_fn(data, model):
    if data == "boom":
        raise RuntimeError("boom")
    return {"version": model, "data": data, "process": os.getpid(), "setting": os.environ.get("SETTING")}
def output_fn(told, accept):
    return json.dumps(told), accept
"""


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    started = LocalAws(Options(tmp_path, enforces_iam=False))
    started.start()
    client(started, "s3").create_bucket(Bucket="bucket")
    yield started
    started.stop()


def archive(version: str, *more: str, code: str = CODE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in {"code/inference.py": code, "version": version, **dict.fromkeys(more, "")}.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def configure(local: LocalAws, version: str, *more: str, count: int = 1) -> None:
    """A model and a configuration that are named after a version."""
    client(local, "s3").put_object(Bucket="bucket", Key=version, Body=archive(version, *more))
    sagemaker = client(local, "sagemaker")
    container = {"Image": "image", "ModelDataUrl": f"s3://bucket/{version}", "Environment": {"SETTING": "on"}}
    sagemaker.create_model(ModelName=version, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "all", "ModelName": version, "InstanceType": "ml.m5.large", "InitialInstanceCount": count}
    sagemaker.create_endpoint_config(EndpointConfigName=version, ProductionVariants=[variant])


def created(local: LocalAws, version: str = "v1", count: int = 1) -> None:
    """An endpoint in service."""
    configure(local, version, count=count)
    client(local, "sagemaker").create_endpoint(EndpointName="dogs", EndpointConfigName=version)
    until(lambda: described(local)["EndpointStatus"], "InService")


def described(local: LocalAws) -> dict[str, Any]:
    answer: dict[str, Any] = client(local, "sagemaker").describe_endpoint(EndpointName="dogs")
    return answer


def ask(local: LocalAws, data: Any = "x", **more: Any) -> dict[str, Any]:
    runtime = client(local, "sagemaker-runtime")
    told = runtime.invoke_endpoint(EndpointName="dogs", Body=json.dumps(data), ContentType="application/json", **more)
    answer: dict[str, Any] = json.loads(told["Body"].read())
    return answer


def test_an_endpoint_answers_with_the_code_of_its_model(local: LocalAws) -> None:
    created(local)
    answer = ask(local, {"a": 1})
    assert (answer["version"], answer["data"], answer["setting"]) == ("v1", {"a": 1}, "on")
    assert described(local)["ProductionVariants"][0]["CurrentInstanceCount"] == 1


def test_what_the_model_refuses_is_told_with_its_status(local: LocalAws) -> None:
    created(local)
    runtime = client(local, "sagemaker-runtime")
    for body, kind, status in ((b"{}", "text/plain", 415), (b'"boom"', "application/json", 500)):
        with pytest.raises(ClientError) as raised:
            runtime.invoke_endpoint(EndpointName="dogs", Body=body, ContentType=kind)
        assert raised.value.response["Error"]["Code"] == "ModelError"
        assert raised.value.response["OriginalStatusCode"] == status
    assert ask(local)["version"] == "v1"


def test_an_endpoint_that_is_not_there_is_told(local: LocalAws) -> None:
    with pytest.raises(ClientError, match="not found"):
        ask(local)
    with pytest.raises(ClientError, match="Could not find endpoint"):
        described(local)


def test_a_model_that_does_not_load_fails_the_endpoint_with_its_reason(local: LocalAws) -> None:
    configure(local, "v1", "broken")
    client(local, "sagemaker").create_endpoint(EndpointName="dogs", EndpointConfigName="v1")
    until(lambda: described(local)["EndpointStatus"], "Failed")
    assert "no weights here" in described(local)["FailureReason"]


def test_requests_are_dealt_out_among_the_instances(local: LocalAws) -> None:
    created(local, count=2)
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(local)["process"])) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 2


def test_a_killed_instance_is_replaced_and_no_request_fails(local: LocalAws) -> None:
    created(local)
    first = ask(local)["process"]
    os.kill(first, signal.SIGKILL)
    assert ask(local)["process"] != first


def test_an_update_moves_to_the_new_version_without_a_failed_request(local: LocalAws) -> None:
    created(local)
    configure(local, "v2")
    seen: list[str] = []
    over = threading.Event()

    def keep_asking() -> None:
        while not over.is_set():
            seen.append(ask(local)["version"])

    asker = threading.Thread(target=keep_asking)
    asker.start()
    client(local, "sagemaker").update_endpoint(EndpointName="dogs", EndpointConfigName="v2")
    until(lambda: described(local)["EndpointStatus"], "InService")
    until(lambda: ask(local)["version"], "v2")
    over.set()
    asker.join()
    assert described(local)["EndpointConfigName"] == "v2"
    assert seen == sorted(seen)


def test_an_update_that_fails_leaves_what_was(local: LocalAws) -> None:
    created(local)
    configure(local, "v2", "broken")
    client(local, "sagemaker").update_endpoint(EndpointName="dogs", EndpointConfigName="v2")
    until(lambda: "rolled back" in described(local).get("FailureReason", ""), wanted=True)
    now = described(local)
    assert (now["EndpointStatus"], now["EndpointConfigName"], ask(local)["version"]) == ("InService", "v1", "v1")


def test_instances_come_and_go(local: LocalAws) -> None:
    created(local)
    for count in (3, 1):
        wanted = [{"VariantName": "all", "DesiredInstanceCount": count}]
        sagemaker = client(local, "sagemaker")
        sagemaker.update_endpoint_weights_and_capacities(EndpointName="dogs", DesiredWeightsAndCapacities=wanted)
        until(lambda: described(local)["ProductionVariants"][0]["CurrentInstanceCount"], count)
        until(lambda: described(local)["EndpointStatus"], "InService")


def test_an_endpoint_that_is_being_changed_is_left_alone(local: LocalAws) -> None:
    configure(local, "v1")
    sagemaker = client(local, "sagemaker")
    sagemaker.create_endpoint(EndpointName="dogs", EndpointConfigName="v1")
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        sagemaker.update_endpoint(EndpointName="dogs", EndpointConfigName="v1")
    until(lambda: described(local)["EndpointStatus"], "InService")


def test_a_deleted_endpoint_leaves_no_process(local: LocalAws) -> None:
    created(local)
    process = ask(local)["process"]
    client(local, "sagemaker").delete_endpoint(EndpointName="dogs")
    until(lambda: Path(f"/proc/{process}").exists(), wanted=False)
    with pytest.raises(ClientError, match="Could not find endpoint"):
        until(lambda: described(local)["EndpointStatus"], "Deleted")


def test_an_endpoint_is_there_again_after_a_restart(tmp_path: Path) -> None:
    first = LocalAws(Options(tmp_path, enforces_iam=False))
    first.start()
    client(first, "s3").create_bucket(Bucket="bucket")
    created(first)
    process = ask(first)["process"]
    first.stop()
    assert not Path(f"/proc/{process}").exists()
    second = LocalAws(Options(tmp_path, enforces_iam=False))
    second.start()
    deadline = time.monotonic() + 20
    while not second.is_serving("dogs") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert ask(second)["version"] == "v1"
    second.stop()


CANARY = {"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 30}, "WaitIntervalInSeconds": 5}
LINEAR = {"Type": "LINEAR", "LinearStepSize": {"Type": "INSTANCE_COUNT", "Value": 2}, "WaitIntervalInSeconds": 7}


@pytest.mark.parametrize(
    ("routing", "instances", "moves"),
    [
        ({"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 3}, 4, (Move(1.0, 3),)),
        (CANARY, 4, (Move(0.5, 5), Move(1.0, 5))),
        (CANARY, 1, (Move(1.0, 5), Move(1.0, 5))),
        (LINEAR, 5, (Move(0.4, 7), Move(0.8, 7), Move(1.0, 7))),
        (LINEAR, 4, (Move(0.5, 7), Move(1.0, 7))),
    ],
)
def test_traffic_moves_in_whole_instances(routing: dict[str, Any], instances: int, moves: tuple[Move, ...]) -> None:
    asked = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    assert rollout(asked, instances).moves == moves


def test_a_busy_endpoint_gets_more_instances_and_cloudwatch_knows_why(local: LocalAws) -> None:
    created(local)
    scaling = client(local, "application-autoscaling")
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
        ask(local)
    until(lambda: described(local)["ProductionVariants"][0]["CurrentInstanceCount"], 2)
    (activity,) = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")["ScalingActivities"]
    assert "9 invocations an instance and minute are above the target 5" in activity["Cause"]
    metrics = client(local, "cloudwatch").list_metrics(Namespace="AWS/SageMaker")["Metrics"]
    assert {"Invocations", "ModelLatency", "OverheadLatency"} <= {one["MetricName"] for one in metrics}
