"""Asynchronous endpoints answer into S3: with the model's role, as instances have room, and after a restart as well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import ACCOUNT, LocalAws, Options
from tests.support.endpoints import create_configuration, describe_endpoint, invoke_endpoint
from tests.support.images import images_file
from tests.support.local_aws import client, running_local_aws, with_key
from tests.support.users import allowing, document, refused
from tests.support.waiting import until

OUTPUT = {"S3OutputPath": "s3://bucket/answers", "S3FailurePath": "s3://bucket/failures/"}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local")) as local:
        client(local.url, "s3").create_bucket(Bucket="bucket")
        create_async_endpoint(local.url)
        yield local


def create_async_endpoint(url: str, **output: Any) -> None:
    """Create an endpoint, and wait until it is in service."""
    create_configuration(url, "v1")
    sagemaker = client(url, "sagemaker")
    variants = sagemaker.describe_endpoint_config(EndpointConfigName="v1")["ProductionVariants"]
    config = {"OutputConfig": {**OUTPUT, **output}, "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2}}
    sagemaker.create_endpoint_config(
        EndpointConfigName="async", ProductionVariants=variants, AsyncInferenceConfig=config
    )
    sagemaker.create_endpoint(EndpointName="dogs", EndpointConfigName="async")
    until(lambda: describe_endpoint(url)["EndpointStatus"], "InService")


def uploaded(url: str, content: Any) -> str:
    client(url, "s3").put_object(Bucket="bucket", Key="question", Body=json.dumps(content))
    return "s3://bucket/question"


def invoke_async(url: str, **request: Any) -> Any:
    runtime = client(url, "sagemaker-runtime")
    return runtime.invoke_endpoint_async(**{"EndpointName": "dogs", "ContentType": "application/json", **request})


def content(url: str, address: str) -> bytes:
    """The content of an object, when it is there."""
    objects, (bucket, _, key) = client(url, "s3"), address.removeprefix("s3://").partition("/")
    until(lambda: key in [each["Key"] for each in objects.list_objects_v2(Bucket=bucket).get("Contents", [])])
    return bytes(objects.get_object(Bucket=bucket, Key=key)["Body"].read())


def test_the_answer_is_an_object(local: LocalAws) -> None:
    answer = invoke_async(local.url, InputLocation=uploaded(local.url, {"a": 1}), InferenceId="mine")
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["InferenceId"]) == (202, "mine")
    assert answer["OutputLocation"].startswith("s3://bucket/answers/")
    assert answer["OutputLocation"].endswith(".out")
    assert answer["FailureLocation"].startswith("s3://bucket/failures/")
    assert answer["FailureLocation"].endswith("-error.out")
    prediction = json.loads(content(local.url, answer["OutputLocation"]))
    assert (prediction["version"], prediction["data"]) == ("v1", {"a": 1})


def test_a_small_input_may_come_with_the_request_and_the_output_has_the_name_that_it_is_given(
    local: LocalAws,
) -> None:
    answer = invoke_async(local.url, Body=b'"here"', S3OutputPathExtension="mine/today", Filename="one.json")
    assert answer["OutputLocation"] == "s3://bucket/answers/mine/today/one.json"
    assert json.loads(content(local.url, answer["OutputLocation"]))["data"] == "here"


def test_what_the_model_refuses_is_an_object_of_its_own(local: LocalAws) -> None:
    answer = invoke_async(local.url, InputLocation=uploaded(local.url, "boom"))
    failure = content(local.url, answer["FailureLocation"]).decode()
    assert failure.startswith('Received server error (500) from primary with message "boom". See https://')
    missing = invoke_async(local.url, InputLocation="s3://bucket/nothing")
    failure = content(local.url, missing["FailureLocation"]).decode()
    assert failure == "Unable to download the input from s3://bucket/nothing: there is no such object"


def test_an_endpoint_is_one_or_the_other(local: LocalAws) -> None:
    assert describe_endpoint(local.url)["AsyncInferenceConfig"]["OutputConfig"] == OUTPUT
    words = refused(lambda: invoke_endpoint(local.url), "ValidationError", 400)
    assert words == "Endpoint dogs is asynchronous; use InvokeEndpointAsync."


@pytest.mark.parametrize(
    ("request_members", "words"),
    [
        ({}, "Specify either InputLocation or Body"),
        ({"InputLocation": "s3://bucket/x", "Body": b"x"}, "Specify either InputLocation or Body"),
        ({"InputLocation": "file://x"}, "'inputLocation' failed to satisfy constraint"),
        ({"InputLocation": "s3://bucket/x", "RequestTTLSeconds": 30_000}, "'requestTTLSeconds' failed to satisfy"),
    ],
)
def test_a_request_that_is_not_as_it_must_be_is_refused(
    local: LocalAws, request_members: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClientError, match=words):
        invoke_async(local.url, **request_members)


def test_topics_and_configurations_without_a_place_for_answers_are_refused(local: LocalAws) -> None:
    sagemaker = client(local.url, "sagemaker")
    variants = sagemaker.describe_endpoint_config(EndpointConfigName="v1")["ProductionVariants"]
    topic = {"SuccessTopic": f"arn:aws:sns:us-east-1:{ACCOUNT}:answers"}
    for output, words in [
        ({**OUTPUT, "NotificationConfig": topic}, "does not carry out .*NotificationConfig.SuccessTopic"),
        ({"S3FailurePath": OUTPUT["S3FailurePath"]}, "needs an S3OutputPath"),
    ]:
        with pytest.raises(ClientError, match=words):
            sagemaker.create_endpoint_config(
                EndpointConfigName="no", ProductionVariants=variants, AsyncInferenceConfig={"OutputConfig": output}
            )


def test_invocations_wait_for_instances_and_are_counted(local: LocalAws) -> None:
    sagemaker = client(local.url, "sagemaker")

    def scale(count: int) -> None:
        sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="dogs", DesiredWeightsAndCapacities=[{"VariantName": "all", "DesiredInstanceCount": count}]
        )
        until(lambda: describe_endpoint(local.url)["EndpointStatus"], "InService")

    scale(0)
    waiting = [invoke_async(local.url, Body=b'"x"')["OutputLocation"] for _ in range(2)]
    metrics = client(local.url, "cloudwatch")
    named = {"Namespace": "AWS/SageMaker", "MetricName": "HasBacklogWithoutCapacity"}
    until(lambda: metrics.list_metrics(**named)["Metrics"])
    scale(1)
    assert [json.loads(content(local.url, address))["version"] for address in waiting] == ["v1", "v1"]


def test_what_was_accepted_is_answered_after_a_restart(tmp_path: Path) -> None:
    options = Options(with_key(tmp_path), enforces_iam=False, images=images_file(tmp_path))
    first = LocalAws(options)
    first.start()
    client(first.url, "s3").create_bucket(Bucket="bucket")
    create_async_endpoint(first.url)
    client(first.url, "sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="dogs", DesiredWeightsAndCapacities=[{"VariantName": "all", "DesiredInstanceCount": 0}]
    )
    until(lambda: describe_endpoint(first.url)["EndpointStatus"], "InService")
    address = invoke_async(first.url, Body=b'"x"')["OutputLocation"]
    first.stop()
    second = LocalAws(options)
    second.start()
    try:
        until(lambda: describe_endpoint(second.url)["EndpointStatus"], "InService")
        client(second.url, "sagemaker").update_endpoint_weights_and_capacities(
            EndpointName="dogs", DesiredWeightsAndCapacities=[{"VariantName": "all", "DesiredInstanceCount": 1}]
        )
        assert json.loads(content(second.url, address))["data"] == "x"
    finally:
        second.stop()


def test_inputs_are_read_and_answers_written_as_the_models_role(tmp_path: Path) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    with running_local_aws(tmp_path, enforces_iam=True) as local:
        iam, bucket = client(local.url, "iam"), "arn:aws:s3:::bucket"
        client(local.url, "s3").create_bucket(Bucket="bucket")
        iam.create_role(RoleName="model", AssumeRolePolicyDocument=document(trust))
        policy = document(
            allowing("s3:GetObject", resource=[f"{bucket}/v1", f"{bucket}/question"]),
            allowing("s3:PutObject", resource=[f"{bucket}/answers/mine", f"{bucket}/failures/*"]),
        )
        iam.put_role_policy(RoleName="model", PolicyName="own", PolicyDocument=policy)
        create_async_endpoint(local.url)
        question = uploaded(local.url, "x")
        allowed = invoke_async(local.url, InputLocation=question, Filename="mine")
        assert json.loads(content(local.url, allowed["OutputLocation"]))["data"] == "x"
        for request, action in [
            ({"InputLocation": "s3://bucket/other", "Filename": "mine"}, "s3:GetObject"),
            ({"InputLocation": question, "Filename": "another"}, "s3:PutObject"),
        ]:
            failure = invoke_async(local.url, **request)["FailureLocation"]
            assert f"is not authorized to perform: {action}" in content(local.url, failure).decode()
