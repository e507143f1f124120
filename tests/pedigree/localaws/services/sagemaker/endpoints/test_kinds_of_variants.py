"""Shadow variants get copies of requests and answer nobody; serverless ones take so many at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import LocalAws
from tests.support.endpoints import create_configuration, describe_endpoint, invoke_endpoint, model_archive
from tests.support.local_aws import client, running_local_aws
from tests.support.waiting import until

CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://bucket/captured",
    "CaptureOptions": [{"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
}
WAITING = """
import os, time
def model_fn(folder):
    return folder
def transform_fn(model, body, kind, accept):
    open(body.decode() + ".begun", "w").close()
    while not os.path.exists(body.decode()):
        time.sleep(0.01)
    return "done", "text/plain"
"""


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path) as local:
        client(local.url, "s3").create_bucket(Bucket="bucket")
        yield local


def variant(local: LocalAws, version: str, name: str, weight: float) -> dict[str, Any]:
    create_configuration(local.url, version)
    (created,) = client(local.url, "sagemaker").describe_endpoint_config(EndpointConfigName=version)[
        "ProductionVariants"
    ]
    return {**created, "VariantName": name, "InitialVariantWeight": weight}


def create(local: LocalAws, **members: Any) -> None:
    sagemaker = client(local.url, "sagemaker")
    sagemaker.create_endpoint_config(EndpointConfigName="dogs", **members)
    sagemaker.create_endpoint(EndpointName="dogs", EndpointConfigName="dogs")
    until(lambda: describe_endpoint(local.url)["EndpointStatus"], "InService")


def captured(local: LocalAws, name: str) -> list[Any]:
    """What the models of a variant have answered."""
    objects = client(local.url, "s3")
    keys = [
        each["Key"]
        for each in objects.list_objects_v2(Bucket="bucket", Prefix=f"captured/dogs/{name}/").get("Contents", [])
    ]
    lines = [line for key in keys for line in objects.get_object(Bucket="bucket", Key=key)["Body"].iter_lines()]
    return [json.loads(json.loads(line)["captureData"]["endpointOutput"]["data"])["version"] for line in lines]


def test_a_shadow_variant_gets_a_copy_of_each_request_and_answers_nobody(local: LocalAws) -> None:
    shadow = variant(local, "v2", "shadow", 1.0)
    create(
        local,
        ProductionVariants=[variant(local, "v1", "all", 1.0)],
        ShadowProductionVariants=[shadow],
        DataCaptureConfig=CAPTURE,
    )
    described = describe_endpoint(local.url)["ShadowProductionVariants"]
    assert [(each["VariantName"], each["CurrentInstanceCount"]) for each in described] == [("shadow", 1)]
    assert [invoke_endpoint(local.url)["version"] for _ in range(3)] == ["v1"] * 3
    until(lambda: (len(captured(local, "all")), len(captured(local, "shadow"))), (3, 3))
    assert (set(captured(local, "all")), set(captured(local, "shadow"))) == ({"v1"}, {"v2"})
    with pytest.raises(ClientError, match="boom"):
        invoke_endpoint(local.url, "boom")
    assert invoke_endpoint(local.url)["version"] == "v1"


def test_a_shadow_variant_of_weight_0_gets_nothing(local: LocalAws) -> None:
    shadow = variant(local, "v2", "shadow", 0.0)
    create(
        local,
        ProductionVariants=[variant(local, "v1", "all", 1.0)],
        ShadowProductionVariants=[shadow],
        DataCaptureConfig=CAPTURE,
    )
    for _ in range(3):
        invoke_endpoint(local.url)
    until(lambda: len(captured(local, "all")), 3)
    assert captured(local, "shadow") == []


def test_what_cannot_be_shadowed_is_refused(local: LocalAws) -> None:
    one, other, third = (variant(local, f"v{number}", f"n{number}", 1.0) for number in (1, 2, 3))
    serverless = {
        "VariantName": "s",
        "ModelName": "v1",
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    sagemaker = client(local.url, "sagemaker")
    for production, shadows, words in [
        ([one], [other, third], "there is one shadow variant"),
        ([one, other], [third], "needs one production variant"),
        ([one], [{**other, "VariantName": "n1"}], "must be unique"),
        ([one], [serverless], "not supported for serverless variants"),
    ]:
        with pytest.raises(ClientError, match=words):
            sagemaker.create_endpoint_config(
                EndpointConfigName="no", ProductionVariants=production, ShadowProductionVariants=shadows
            )


def test_a_serverless_variant_takes_so_many_requests_at_once(local: LocalAws) -> None:
    client(local.url, "s3").put_object(Bucket="bucket", Key="waiting", Body=model_archive("v", code=WAITING))
    container = {"Image": "image", "ModelDataUrl": "s3://bucket/waiting"}
    client(local.url, "sagemaker").create_model(ModelName="waiting", PrimaryContainer=container)
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    create(local, ProductionVariants=[{"VariantName": "all", "ModelName": "waiting", "ServerlessConfig": serverless}])
    signal, runtime = local.world.folder / "outside" / "go-on", client(local.url, "sagemaker-runtime")
    request = {"EndpointName": "dogs", "Body": str(signal).encode(), "ContentType": "text/plain"}
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: runtime.invoke_endpoint(**request)["Body"].read())
        until(signal.with_suffix(".begun").exists)
        with pytest.raises(ClientError) as raised:
            runtime.invoke_endpoint(**request)
        signal.touch()
        assert first.result() == b"done"
    said = raised.value.response
    assert (said["Error"]["Code"], said["ResponseMetadata"]["HTTPStatusCode"]) == ("ThrottlingException", 400)
