"""Creates SageMaker endpoints in a local AWS whose answers name the version of their model, and invokes them."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

from pedigree.localaws.daemon import ACCOUNT
from tests.support.local_aws import client
from tests.support.processes import PROCESS_NAMES
from tests.support.waiting import until

ROLE = f"arn:aws:iam::{ACCOUNT}:role/model"
INFERENCE = f"""{PROCESS_NAMES}
import json
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
    return {{"version": model, "data": data, "process": name_of(), "setting": os.environ.get("SETTING")}}
def output_fn(prediction, accept):
    return json.dumps(prediction), accept
"""


def model_archive(version: str, *more: str, code: str = INFERENCE) -> bytes:
    """A model.tar.gz with inference code, a file that holds the version, and more files, which are empty."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in {"code/inference.py": code, "version": version, **dict.fromkeys(more, "")}.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def create_configuration(url: str, version: str, *more: str, count: int = 1) -> None:
    """Create a model and an endpoint configuration, both named after a version."""
    client(url, "s3").put_object(Bucket="bucket", Key=version, Body=model_archive(version, *more))
    sagemaker = client(url, "sagemaker")
    container = {"Image": "image", "ModelDataUrl": f"s3://bucket/{version}", "Environment": {"SETTING": "on"}}
    sagemaker.create_model(ModelName=version, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "all", "ModelName": version, "InstanceType": "ml.m5.large", "InitialInstanceCount": count}
    sagemaker.create_endpoint_config(EndpointConfigName=version, ProductionVariants=[variant])


def create_endpoint(url: str, version: str = "v1", count: int = 1) -> None:
    """Create an endpoint, and wait until it is in service."""
    create_configuration(url, version, count=count)
    client(url, "sagemaker").create_endpoint(EndpointName="dogs", EndpointConfigName=version)
    until(lambda: describe_endpoint(url)["EndpointStatus"], "InService")


def describe_endpoint(url: str) -> dict[str, Any]:
    answer: dict[str, Any] = client(url, "sagemaker").describe_endpoint(EndpointName="dogs")
    return answer


def invoke_endpoint(url: str, data: Any = "x", **more: Any) -> dict[str, Any]:
    runtime = client(url, "sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName="dogs", Body=json.dumps(data), ContentType="application/json", **more)
    prediction: dict[str, Any] = json.loads(answer["Body"].read())
    return prediction
