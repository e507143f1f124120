"""A model's EnableNetworkIsolation holds for its endpoint and its transform jobs, where there are containers."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.daemon import LocalAws
from tests.support.containers import HAS_CONTAINERS
from tests.support.endpoints import ROLE, describe_endpoint, invoke_endpoint, model_archive
from tests.support.local_aws import client, running_local_aws
from tests.support.waiting import until

CODE = """
import json, socket
def model_fn(folder):
    print("loaded", flush=True)
    return folder
def transform_fn(model, body, kind, accept):
    try:
        socket.create_connection(("127.0.0.1", json.loads(body)), 5).close()
    except ConnectionRefusedError:
        return json.dumps("refused"), "application/json"
    return json.dumps("reached"), "application/json"
"""


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path) as local:
        client(local.url, "s3").create_bucket(Bucket="bucket")
        client(local.url, "s3").put_object(Bucket="bucket", Key="model", Body=model_archive("v1", code=CODE))
        yield local


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this machine that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def create_model(local: LocalAws, *, is_isolated: bool) -> None:
    container = {"Image": "image", "ModelDataUrl": "s3://bucket/model"}
    client(local.url, "sagemaker").create_model(
        ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE, EnableNetworkIsolation=is_isolated
    )


def expected(*, is_isolated: bool) -> str:
    return "refused" if is_isolated and HAS_CONTAINERS else "reached"


def logged(local: LocalAws) -> list[str]:
    """What is in the endpoint's log."""
    logs = client(local.url, "logs")
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/sagemaker/Endpoints/dogs")["logGroups"]
    found = [logs.filter_log_events(logGroupName=group["logGroupName"])["events"] for group in groups]
    return [event["message"] for events in found for event in events]


@pytest.mark.parametrize("is_isolated", [False, True])
def test_an_endpoint_answers_and_reaches_this_machine_only_if_it_is_not_isolated(
    local: LocalAws, port: int, is_isolated: bool
) -> None:
    create_model(local, is_isolated=is_isolated)
    variant = {"VariantName": "all", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    client(local.url, "sagemaker").create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    client(local.url, "sagemaker").create_endpoint(EndpointName="dogs", EndpointConfigName="c")
    until(lambda: describe_endpoint(local.url)["EndpointStatus"], "InService")
    answer: Any = invoke_endpoint(local.url, port)
    assert answer == expected(is_isolated=is_isolated)
    note = "[local AWS] there is no container for this model: EnableNetworkIsolation is not enforced"
    until(lambda: "loaded" in logged(local), expected=True)
    assert (note in logged(local)) == (is_isolated and not HAS_CONTAINERS)


@pytest.mark.parametrize("is_isolated", [False, True])
def test_a_transform_job_does_as_well(local: LocalAws, port: int, is_isolated: bool) -> None:
    create_model(local, is_isolated=is_isolated)
    client(local.url, "s3").put_object(Bucket="bucket", Key="in/a", Body=str(port).encode())
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}}
    sagemaker = client(local.url, "sagemaker")
    sagemaker.create_transform_job(
        TransformJobName="job",
        ModelName="m",
        TransformInput={"DataSource": source, "ContentType": "application/json"},
        TransformOutput={"S3OutputPath": "s3://bucket/out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    until(lambda: sagemaker.describe_transform_job(TransformJobName="job")["TransformJobStatus"], "Completed")
    body = client(local.url, "s3").get_object(Bucket="bucket", Key="out/a.out")["Body"].read()
    assert json.loads(body) == expected(is_isolated=is_isolated)
