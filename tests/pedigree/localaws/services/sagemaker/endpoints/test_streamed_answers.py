"""Streamed answers come piece by piece while the model makes them; any other answer is one piece."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError

from pedigree.localaws.daemon import LocalAws
from tests.support.endpoints import model_archive
from tests.support.local_aws import client, running_local_aws
from tests.support.waiting import until

CODE = """
import os, time
def model_fn(folder):
    return folder
def transform_fn(model, body, kind, accept):
    asked = body.decode()
    if asked == "refuse":
        error = ValueError("no words"); error.status_code = 422; raise error
    return ("whole", "text/plain") if asked == "whole" else (words(asked), "text/plain")
def words(asked):
    yield "one "
    if asked == "break":
        raise RuntimeError("no more words")
    while asked.startswith("/") and not os.path.exists(asked):
        time.sleep(0.01)
    yield b"two"
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local")) as local:
        objects, sagemaker = client(local.url, "s3"), client(local.url, "sagemaker")
        objects.create_bucket(Bucket="bucket")
        objects.put_object(Bucket="bucket", Key="model", Body=model_archive("v1", code=CODE))
        container = {"Image": "image", "ModelDataUrl": "s3://bucket/model"}
        sagemaker.create_model(ModelName="words", PrimaryContainer=container)
        variant = {"VariantName": "all", "ModelName": "words", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName="words", ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName="words", EndpointConfigName="words")
        until(lambda: sagemaker.describe_endpoint(EndpointName="words")["EndpointStatus"], "InService")
        yield local


def stream(local: LocalAws, body: str) -> Any:
    return client(local.url, "sagemaker-runtime").invoke_endpoint_with_response_stream(
        EndpointName="words", Body=body.encode(), ContentType="text/plain", CustomAttributes="who=ann"
    )


def pieces(answer: Any) -> list[bytes]:
    return [event["PayloadPart"]["Bytes"] for event in answer["Body"]]


def test_each_piece_that_the_model_yields_is_an_event(local: LocalAws) -> None:
    answer = stream(local, "all")
    assert (answer["ContentType"], answer["InvokedProductionVariant"], answer["CustomAttributes"]) == (
        "text/plain",
        "all",
        "who=ann",
    )
    assert pieces(answer) == [b"one ", b"two"]


def test_a_piece_is_there_before_the_next_one_is_made(local: LocalAws) -> None:
    signal = local.world.folder / "outside" / "go-on"
    events = iter(stream(local, str(signal))["Body"])
    assert next(events)["PayloadPart"]["Bytes"] == b"one "
    signal.touch()
    assert [event["PayloadPart"]["Bytes"] for event in events] == [b"two"]


def test_an_answer_that_is_not_made_in_pieces_is_one(local: LocalAws) -> None:
    assert pieces(stream(local, "whole")) == [b"whole"]


def test_pieces_are_one_answer_for_a_client_that_wants_no_stream(local: LocalAws) -> None:
    runtime = client(local.url, "sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName="words", Body=b"all", ContentType="text/plain")
    assert (answer["Body"].read(), answer["ContentType"]) == (b"one two", "text/plain")


def test_a_refusal_of_the_model_is_an_error_as_without_a_stream(local: LocalAws) -> None:
    with pytest.raises(ClientError) as raised:
        stream(local, "refuse")
    assert (raised.value.response["Error"]["Code"], raised.value.response["OriginalStatusCode"]) == ("ModelError", 422)


def test_an_answer_that_the_model_breaks_off_ends_with_an_error(local: LocalAws) -> None:
    with closing(stream(local, "break")["Body"]) as body:
        events = iter(body)
        assert next(events)["PayloadPart"]["Bytes"] == b"one "
        with pytest.raises(EventStreamError, match="ended its answer before all of it had come"):
            next(events)
    assert pieces(stream(local, "all")) == [b"one ", b"two"]


def test_a_client_that_leaves_early_leaves_the_instance_free(local: LocalAws) -> None:
    signal = local.world.folder / "outside" / "never"
    answer = stream(local, str(signal))
    answer["Body"].close()
    signal.touch()
    assert pieces(stream(local, "all")) == [b"one ", b"two"]
    sagemaker = client(local.url, "sagemaker")
    sagemaker.delete_endpoint(EndpointName="words")
    until(lambda: sagemaker.list_endpoints()["Endpoints"], [], seconds=30)
