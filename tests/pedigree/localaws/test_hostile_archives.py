"""Archives that anybody may upload cost the daemon neither memory, disk nor an internal failure."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import LocalAws
from tests.support.endpoints import ROLE, describe_endpoint
from tests.support.lambda_functions import create_function, invoke, zip_modules
from tests.support.local_aws import client, daemon_process
from tests.support.peak_memory import peak_megabytes
from tests.support.waiting import until

GIGABYTE = 1 << 30


def lying_zip(method: int) -> bytes:
    """A zip with a gigabyte of zeros that says it has ten bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive, archive.open(".folder-of-this-machine", "w") as entry:
        for _ in range(GIGABYTE >> 20):
            entry.write(bytes(1 << 20))
    return buffer.getvalue().replace(GIGABYTE.to_bytes(4, "little"), (10).to_bytes(4, "little"))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_a_function_s_archive_that_lies_costs_the_daemon_no_memory(tmp_path: Path, method: int) -> None:
    content = lying_zip(method)
    with daemon_process(tmp_path) as (process, url):
        before = peak_megabytes(process.pid)
        create: Any = client(url, "lambda").create_function
        with pytest.raises(ClientError, match="Could not unzip uploaded file") as raised:
            create(FunctionName="f", Runtime="python3.12", Role=ROLE, Handler="f.handler", Code={"ZipFile": content})
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert peak_megabytes(process.pid) - before < 100


def test_a_damaged_archive_is_refused_when_a_function_is_made_or_changed(local: LocalAws) -> None:
    content = bytearray(zip_modules(f="def handler(event, context): return 1\n" * 50))
    content[50] ^= 0x55
    create_function(local.url, "f", "def handler(event, context): return 1")
    with pytest.raises(ClientError, match=r"InvalidParameterValueException.*Could not unzip uploaded file"):
        client(local.url, "lambda").update_function_code(FunctionName="f", ZipFile=bytes(content))
    assert invoke(local.url, "f")["body"] == 1


def expanding() -> bytes:
    member = tarfile.TarInfo("zeros")
    member.size = 300 << 20
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb", compresslevel=9) as file:
        file.write(member.tobuf())
        for _ in range(300):
            file.write(bytes(1 << 20))
    return buffer.getvalue()


def folders() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for number in range(2000):
            tar.addfile(tarfile.TarInfo(f"{number}/a/b/c/d/e/f/g/h/i/j"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(expanding(), "it expands to more than"), (folders(), "it has more than 10000 files and folders")],
)
def test_a_model_s_archive_that_expands_without_end_fails_its_endpoint(
    local: LocalAws, content: bytes, reason: str
) -> None:
    s3, sagemaker = client(local.url, "s3"), client(local.url, "sagemaker")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="model", Body=content)
    container = {"Image": "image", "ModelDataUrl": "s3://bucket/model"}
    sagemaker.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "all", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="dogs", EndpointConfigName="c")
    until(lambda: describe_endpoint(local.url)["EndpointStatus"], "Failed")
    assert reason in describe_endpoint(local.url)["FailureReason"]
