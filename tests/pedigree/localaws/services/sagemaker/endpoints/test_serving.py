"""Endpoints of the local AWS keep serving: watched over, captured, moved carefully, scaled, and under load."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.local_load import load, through_local_aws
from pedigree.localaws.daemon import LocalAws, Options
from pedigree.localaws.services.sagemaker.endpoints.fleet import Fleet
from pedigree.localaws.services.sagemaker.endpoints.instances import InstanceSpec
from pedigree.localaws.services.sagemaker.endpoints.server_process import InstanceError, ModelTimeoutError, ServerSpec
from tests.support.endpoints import create_configuration, create_endpoint, describe_endpoint, invoke_endpoint
from tests.support.images import images_file
from tests.support.local_aws import client, running_local_aws, with_key
from tests.support.processes import find_process
from tests.support.waiting import until

VARIANT = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/dogs/variant/all",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
DIMENSIONS = [{"Name": "EndpointName", "Value": "dogs"}, {"Name": "VariantName", "Value": "all"}]
BLUE_GREEN = {
    "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 60}}
}


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path) as local:
        client(local.url, "s3").create_bucket(Bucket="bucket")
        yield local


def count(local: LocalAws) -> int:
    return int(describe_endpoint(local.url)["ProductionVariants"][0].get("CurrentInstanceCount", 0))


def servers(folder: Path) -> set[int]:
    """The model servers of a folder that run."""
    found = set()
    for process in (process for process in Path("/proc").iterdir() if process.name.isdecimal()):
        try:
            words, variables = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue
        if b"model_server.py" in words and str(folder).encode() in words + variables:
            found.add(int(process.name))
    return found


def test_a_model_server_that_dies_while_it_is_idle_is_replaced(local: LocalAws, tmp_path: Path) -> None:
    create_endpoint(local.url)
    (first,) = servers(tmp_path)
    os.kill(first, signal.SIGKILL)
    until(lambda: len(servers(tmp_path) - {first}), 1)
    assert find_process(invoke_endpoint(local.url)["process"]) != first


def test_requests_and_answers_are_captured(local: LocalAws) -> None:
    create_configuration(local.url, "v1")
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://bucket/captured/",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
    }
    sagemaker = client(local.url, "sagemaker")
    variants = sagemaker.describe_endpoint_config(EndpointConfigName="v1")["ProductionVariants"]
    sagemaker.create_endpoint_config(
        EndpointConfigName="captured", ProductionVariants=variants, DataCaptureConfig=capture
    )
    sagemaker.create_endpoint(EndpointName="dogs", EndpointConfigName="captured")
    until(lambda: describe_endpoint(local.url)["EndpointStatus"], "InService")
    assert describe_endpoint(local.url)["DataCaptureConfig"]["CaptureStatus"] == "Started"
    invoke_endpoint(local.url, {"a": 1}, InferenceId="mine", CustomAttributes="who=ann", Accept="text/other")
    objects = client(local.url, "s3")

    def keys() -> list[str]:
        found = objects.list_objects_v2(Bucket="bucket", Prefix="captured/")
        return [entry["Key"] for entry in found.get("Contents", [])]

    until(lambda: len(keys()), 1)
    (key,) = keys()
    assert re.fullmatch(r"captured/dogs/all/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl", key)
    (line,) = objects.get_object(Bucket="bucket", Key=key)["Body"].read().splitlines()
    captured = json.loads(line)
    input_, output = captured["captureData"]["endpointInput"], captured["captureData"]["endpointOutput"]
    assert input_ == {
        "observedContentType": "application/json",
        "mode": "INPUT",
        "data": '{"a": 1}',
        "encoding": "JSON",
    }
    assert (output["encoding"], json.loads(base64.b64decode(output["data"]))["data"]) == ("BASE64", {"a": 1})
    assert (captured["eventMetadata"]["inferenceId"], captured["eventVersion"]) == ("mine", "0")
    assert captured["eventMetadata"]["customAttributes"] == ["who=ann"]


def test_alarms_roll_an_update_back(local: LocalAws) -> None:
    create_endpoint(local.url)
    create_configuration(local.url, "v2")

    def metric(key: str, name: str) -> dict[str, Any]:
        about = {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": DIMENSIONS}
        return {"Id": key, "MetricStat": {"Metric": about, "Period": 60, "Stat": "Sum"}, "ReturnData": False}

    rate = {"Id": "rate", "Expression": "IF(invoked > 0, 100 * failed / invoked, 0)", "ReturnData": True}
    client(local.url, "cloudwatch").put_metric_alarm(
        AlarmName="errors",
        Metrics=[rate, metric("failed", "Invocation5XXErrors"), metric("invoked", "Invocations")],
        ComparisonOperator="GreaterThanThreshold",
        Threshold=0,
        EvaluationPeriods=1,
        TreatMissingData="notBreaching",
    )
    deployment = {**BLUE_GREEN, "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}}
    sagemaker = client(local.url, "sagemaker")
    sagemaker.update_endpoint(EndpointName="dogs", EndpointConfigName="v2", DeploymentConfig=deployment)
    assert describe_endpoint(local.url)["PendingDeploymentSummary"]["EndpointConfigName"] == "v2"
    until(lambda: invoke_endpoint(local.url)["version"], "v2")
    with pytest.raises(ClientError, match="server error"):
        invoke_endpoint(local.url, "boom")
    until(lambda: describe_endpoint(local.url)["EndpointStatus"], "InService")
    now = describe_endpoint(local.url)
    assert "errors went off" in now["FailureReason"]
    assert (now["EndpointConfigName"], invoke_endpoint(local.url)["version"]) == ("v1", "v1")
    assert "PendingDeploymentSummary" not in now


def test_an_update_is_finished_after_a_restart(tmp_path: Path) -> None:
    first = LocalAws(Options(with_key(tmp_path), enforces_iam=False, images=images_file(tmp_path)))
    first.start()
    client(first.url, "s3").create_bucket(Bucket="bucket")
    create_endpoint(first.url, count=2)
    create_configuration(first.url, "v2")
    sagemaker = client(first.url, "sagemaker")
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="dogs", DesiredWeightsAndCapacities=[{"VariantName": "all", "DesiredInstanceCount": 3}]
    )
    until(lambda: (describe_endpoint(first.url)["EndpointStatus"], count(first)), ("InService", 3))
    routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 2}
    sagemaker.update_endpoint(
        EndpointName="dogs",
        EndpointConfigName="v2",
        RetainAllVariantProperties=True,
        DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}},
    )
    first.stop()
    assert servers(tmp_path) == set()
    second = LocalAws(Options(with_key(tmp_path), enforces_iam=False, images=images_file(tmp_path)))
    second.start()
    assert invoke_endpoint(second.url)["version"] in ("v1", "v2")
    until(lambda: describe_endpoint(second.url)["EndpointStatus"], "InService")
    assert (
        describe_endpoint(second.url)["EndpointConfigName"],
        invoke_endpoint(second.url)["version"],
        count(second),
    ) == ("v2", "v2", 3)
    second.stop()


def test_a_scheduled_action_sets_bounds_at_its_time(local: LocalAws) -> None:
    create_endpoint(local.url)
    scaling = client(local.url, "application-autoscaling")
    scaling.register_scalable_target(**VARIANT, MinCapacity=1, MaxCapacity=3)
    soon = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=1)
    scaling.put_scheduled_action(
        **VARIANT,
        ScheduledActionName="morning",
        Schedule=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MinCapacity": 2},
    )
    until(lambda: count(local), 2)
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 3)
    page = scaling.describe_scaling_activities(ServiceNamespace="sagemaker", ResourceId=VARIANT["ResourceId"])
    (activity,) = page["ScalingActivities"]
    assert (activity["StatusCode"], "morning" in activity["Cause"]) == ("Successful", True)


def test_requests_at_a_time_scale_an_endpoint(local: LocalAws) -> None:
    create_endpoint(local.url)
    scaling = client(local.url, "application-autoscaling")
    scaling.register_scalable_target(**VARIANT, MinCapacity=1, MaxCapacity=2)
    metric = {"PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"}
    scaling.put_scaling_policy(
        **VARIANT,
        PolicyName="concurrency",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 1e-5, "PredefinedMetricSpecification": metric},
    )

    def counted_invocations() -> int:
        invoke_endpoint(local.url)
        return count(local)

    until(counted_invocations, 2)


def test_what_is_too_large_or_not_there_is_refused(local: LocalAws) -> None:
    create_endpoint(local.url)
    once = Config(retries={"total_max_attempts": 1})
    runtime = client(local.url, "sagemaker-runtime", config=once)
    with pytest.raises(ClientError, match="exceeded 6291456 bytes") as raised:
        runtime.invoke_endpoint(EndpointName="dogs", Body=b"x" * ((6 << 20) + 1))
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    with pytest.raises(ClientError, match="Variant other of endpoint dogs not found"):
        invoke_endpoint(local.url, TargetVariant="other")
    with pytest.raises(ClientError, match="Endpoint dogs has no AsyncInferenceConfig"):
        runtime.invoke_endpoint_async(EndpointName="dogs", InputLocation="s3://bucket/x")


CODE = """
import os, time
def input_fn(body, kind):
    return body
def predict_fn(body, model):
    if body == b"die":
        os._exit(1)
    time.sleep(5 if body == b"slow" else 0)
    return body
def model_fn(folder):
    return None
def output_fn(prediction, accept):
    return prediction
"""


@pytest.fixture
def spec(tmp_path: Path) -> ServerSpec:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text(CODE)
    return ServerSpec(sys.executable, tmp_path, {}, lambda _line: None, answer_seconds=0.5)


def test_a_model_that_takes_too_long_is_waited_for_no_longer(spec: ServerSpec) -> None:
    fleet = Fleet(InstanceSpec((spec,)))
    fleet.resize(2)
    with pytest.raises(ModelTimeoutError, match=r"did not answer in"):
        fleet.invoke(b"slow", {})
    assert fleet.invoke(b"quick", {}).content == b"quick"
    fleet.end(0)


def test_a_request_that_ends_every_server_is_the_models_failure(spec: ServerSpec, tmp_path: Path) -> None:
    fleet = Fleet(InstanceSpec((spec,)))
    fleet.resize(1)
    assert fleet.invoke(b"die", {}).status == 500
    assert fleet.invoke(b"quick", {}).content == b"quick"
    fleet.end()
    until(lambda: servers(tmp_path), set())
    with pytest.raises(InstanceError, match="have been ended"):
        fleet.invoke(b"quick", {})


def test_dead_instances_are_replaced_even_after_an_unknown_error(
    spec: ServerSpec, caplog: pytest.LogCaptureFixture
) -> None:
    environment: dict[str, str] = {}
    fleet = Fleet(InstanceSpec((replace(spec, environment=environment),)))
    fleet.resize(1)
    (first,) = fleet.processes
    environment["IMPOSSIBLE"] = "\0"
    os.kill(first, signal.SIGKILL)
    until(lambda: "no model server in its place" in caplog.text, expected=True)
    environment.clear()
    until(lambda: len(fleet.processes), 1)
    assert fleet.processes != [first]
    fleet.end(0)


def test_no_request_fails_while_everything_happens_to_an_endpoint() -> None:
    found = load(calls=600, clients=3, pause=0.01)
    assert found.failures == []
    assert len(through_local_aws(found.reports)) == 600
    assert {version for report in found.reports for version in report.versions} == {"v1", "v2"}
    assert [event.what for event in found.events] == ["a blue/green update", "a scale-out", "a killed model server"]
