"""A model in an image that a Dockerfile describes: its code is served, the image's own server is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pedigree.localaws.daemon import LocalAws
from tests.support.endpoints import ROLE, model_archive
from tests.support.folders import write_files
from tests.support.images import images_file
from tests.support.local_aws import client, running_local_aws
from tests.support.waiting import until

RECIPE = '[[recipe]]\nname = "{0}"\nimages = ["{0}:*"]\nfolder = "docker"\n{1}\n'
CODE = """
def model_fn(folder):
    return "the model"
def input_fn(body, kind):
    return body.decode()
def predict_fn(data, model):
    return f"{model} and {data}"
def output_fn(prediction, accept):
    return prediction
"""


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    base = images_file(tmp_path, pattern="base:*").read_text(encoding="utf-8")
    recipes = RECIPE.format("with-server", "") + RECIPE.format("with-code", 'serve = "sklearn_serving"')
    dockerfile = "FROM base:1\nCOPY serve /opt/program/"
    write_files(tmp_path, {"images.toml": recipes + base, "docker/Dockerfile": dockerfile, "docker/serve": ""})
    with running_local_aws(tmp_path / "local", images=tmp_path / "images.toml") as local:
        client(local.url, "s3").create_bucket(Bucket="bucket")
        client(local.url, "s3").put_object(Bucket="bucket", Key="model", Body=model_archive("1", code=CODE))
        yield local


def deploy(local: LocalAws, image: str, status: str) -> str:
    """Deploy a model in an image; why that failed, once the endpoint has a status."""
    sagemaker = client(local.url, "sagemaker")
    container = {"Image": f"{image}:1", "ModelDataUrl": "s3://bucket/model"}
    sagemaker.create_model(ModelName=image, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {"VariantName": "all", "ModelName": image, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=image, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=image, EndpointConfigName=image)
    until(lambda: sagemaker.describe_endpoint(EndpointName=image)["EndpointStatus"], status)
    return str(sagemaker.describe_endpoint(EndpointName=image).get("FailureReason", ""))


def test_the_server_of_an_image_is_refused_with_what_to_add(local: LocalAws) -> None:
    reason = deploy(local, "with-server", "Failed")
    assert "the server of the image with-server:1 is its own program, which does not run here" in reason
    assert 'add serve = "sklearn_serving", or one of another recipe, to the recipe with-server' in reason


def test_the_code_of_a_model_is_served_where_the_recipe_says_so(local: LocalAws) -> None:
    deploy(local, "with-code", "InService")
    answer = client(local.url, "sagemaker-runtime").invoke_endpoint(EndpointName="with-code", Body=b"its rows")
    assert answer["Body"].read() == b"the model and its rows"
