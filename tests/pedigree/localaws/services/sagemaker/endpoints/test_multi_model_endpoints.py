"""A multi-model endpoint loads the model that a request names, from below its container's prefix in S3."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import LocalAws
from pedigree.localaws.services.sagemaker.endpoints.multi_model import TARGET_MODEL, ModelLoader, MultiModelInstance
from pedigree.localaws.services.sagemaker.endpoints.server_process import ServerSpec
from tests.support.endpoints import model_archive
from tests.support.local_aws import client, running_local_aws
from tests.support.processes import find_process, is_alive
from tests.support.waiting import until

PYTHON = sys.executable
PREFIX = "s3://bucket/models/"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local")) as local:
        client(local.url, "s3").create_bucket(Bucket="bucket")
        deploy(local, "many")
        for name in ("a.tar.gz", "below/b.tar.gz"):
            upload(local, name, name)
        yield local


def upload(local: LocalAws, name: str, version: str, *more: str) -> None:
    client(local.url, "s3").put_object(Bucket="bucket", Key=f"models/{name}", Body=model_archive(version, *more))


def deploy(local: LocalAws, name: str, **container: Any) -> None:
    sagemaker = client(local.url, "sagemaker")
    wanted = {"Image": "image", "Mode": "MultiModel", "ModelDataUrl": PREFIX, **container}
    sagemaker.create_model(ModelName=name, PrimaryContainer=wanted)
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"], "InService")


def invoke(local: LocalAws, model: str = "", name: str = "many", data: str = "x") -> Any:
    target = {"TargetModel": model} if model else {}
    answer = client(local.url, "sagemaker-runtime").invoke_endpoint(
        EndpointName=name, Body=json.dumps(data), ContentType="application/json", **target
    )
    return json.loads(answer["Body"].read())


def test_a_request_names_its_model(local: LocalAws) -> None:
    first, second = invoke(local, "a.tar.gz"), invoke(local, "below/b.tar.gz")
    assert (first["version"], second["version"]) == ("a.tar.gz", "below/b.tar.gz")
    assert invoke(local, "a.tar.gz")["process"] == first["process"] != second["process"]


def test_a_model_may_come_when_the_endpoint_is_in_service(local: LocalAws) -> None:
    with pytest.raises(ClientError) as raised:
        invoke(local, "late.tar.gz")
    said = raised.value.response["Error"]
    assert (said["Code"], said["Message"]) == (
        "ValidationError",
        "Failed to download model data(bucket: bucket, key: models/late.tar.gz). Please ensure that there is an object "
        "located at the URL and that the role passed to CreateModel has permissions to download the model.",
    )
    upload(local, "late.tar.gz", "late")
    assert invoke(local, "late.tar.gz")["version"] == "late"


def test_a_model_that_does_not_load_is_the_models_error_and_no_others(local: LocalAws) -> None:
    upload(local, "broken.tar.gz", "v", "broken")
    with pytest.raises(ClientError, match=r"broken.tar.gz could not be loaded: .*no weights here") as raised:
        invoke(local, "broken.tar.gz")
    assert raised.value.response["Error"]["Code"] == "ModelError"
    assert invoke(local, "a.tar.gz")["version"] == "a.tar.gz"


def test_a_model_whose_server_was_killed_is_loaded_again(local: LocalAws) -> None:
    before = invoke(local, "a.tar.gz")["process"]
    os.kill(find_process(before), signal.SIGKILL)
    assert invoke(local, "a.tar.gz")["process"] != before


def test_requests_and_endpoints_that_do_not_go_together_are_refused(local: LocalAws) -> None:
    with pytest.raises(ClientError, match="A multi-model endpoint needs a TargetModel"):
        invoke(local)
    deploy(local, "one", Mode="SingleModel", ModelDataUrl="s3://bucket/models/a.tar.gz")
    with pytest.raises(ClientError, match="TargetModel is for multi-model endpoints"):
        invoke(local, "a.tar.gz", name="one")


def test_a_container_for_many_models_stands_alone_and_has_a_prefix(local: LocalAws) -> None:
    sagemaker, many = client(local.url, "sagemaker"), {"Image": "image", "Mode": "MultiModel"}
    with pytest.raises(ClientError, match="needs the prefix of its models"):
        sagemaker.create_model(ModelName="none", PrimaryContainer=many)
    with pytest.raises(ClientError, match="MultiModel beside other containers"):
        sagemaker.create_model(ModelName="two", Containers=[{**many, "ModelDataUrl": PREFIX}, {"Image": "image"}])


def test_without_a_cache_a_model_is_loaded_for_each_request(local: LocalAws) -> None:
    deploy(local, "forgetful", MultiModelConfig={"ModelCacheSetting": "Disabled"})
    first = invoke(local, "a.tar.gz", name="forgetful")["process"]
    until(lambda: is_alive(first), expected=False)
    assert invoke(local, "a.tar.gz", name="forgetful")["process"] != first


def test_models_that_were_not_named_for_longest_make_room(tmp_path: Path) -> None:
    code = "import json\ndef model_fn(folder): pass\ndef transform_fn(*_): return '{}'\n"

    def prepare(_address: str, folder: Path) -> ServerSpec:
        (folder / "code").mkdir(parents=True, exist_ok=True)
        (folder / "code" / "inference.py").write_text(code)
        return ServerSpec(PYTHON, folder, {}, lambda _line: None)

    instance = MultiModelInstance(ModelLoader(PREFIX, tmp_path, prepare, most_loaded=2))
    try:
        for name in ("a", "b", "a", "c"):
            assert instance.invoke(b"", {TARGET_MODEL: name}).status == 200
        kept = set(instance.processes)
        for name in ("a", "c"):
            instance.invoke(b"", {TARGET_MODEL: name})
        assert set(instance.processes) == kept
        assert len(kept) == 2
    finally:
        instance.end()
