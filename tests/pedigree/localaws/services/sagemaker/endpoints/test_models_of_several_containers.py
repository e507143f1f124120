"""A model of several containers: each has a server, and requests go through all of them, or to one by its name."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import LocalAws
from tests.support.endpoints import ROLE, model_archive
from tests.support.local_aws import client, running_local_aws
from tests.support.processes import PROCESS_NAMES, find_process
from tests.support.transform_jobs import JOB
from tests.support.waiting import until

# An answer tells what the container was given; its type tells who gave it.
CODE = f"""{PROCESS_NAMES}
import json
def model_fn(folder):
    version = open(folder + "/version").read()
    print("this is", version, flush=True)
    return version
def input_fn(body, kind):
    return body.decode(), kind
def predict_fn(data, model):
    if data[0] == "refuse " + model:
        error = ValueError("not this"); error.status_code = 400; raise error
    if data[0].startswith("refuse"):
        return data[0]
    return {{"by": model, "given": data[0], "type": data[1], "setting": os.environ["SETTING"], "process": name_of()}}
def output_fn(prediction, accept):
    if isinstance(prediction, str):
        return prediction, accept
    return json.dumps({{**prediction, "accept": accept}}), "application/x-" + prediction["by"]
"""
DIRECT: dict[str, Any] = {"InferenceExecutionConfig": {"Mode": "Direct"}}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local")) as local:
        client(local.url, "s3").create_bucket(Bucket="bucket")
        for version in ("one", "two"):
            client(local.url, "s3").put_object(Bucket="bucket", Key=version, Body=model_archive(version, code=CODE))
        yield local


@pytest.fixture(scope="module")
def pipeline(local: LocalAws) -> LocalAws:
    """An endpoint whose model is a pipeline of two containers."""
    deploy(local, "dogs", container("one"), container("two"))
    return local


@pytest.fixture(scope="module")
def direct(local: LocalAws) -> LocalAws:
    """An endpoint whose containers are invoked by their names."""
    containers = [container(version, ContainerHostname=f"host-{version}") for version in ("one", "two")]
    deploy(local, "cats", *containers, **DIRECT)
    return local


def container(version: str, **more: Any) -> dict[str, Any]:
    environment = {"SETTING": f"of {version}"}
    return {"Image": "image", "ModelDataUrl": f"s3://bucket/{version}", "Environment": environment, **more}


def deploy(local: LocalAws, name: str, *containers: Mapping[str, Any], status: str = "InService", **more: Any) -> None:
    sagemaker = client(local.url, "sagemaker")
    sagemaker.create_model(ModelName=name, Containers=containers, ExecutionRoleArn=ROLE, **more)
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"], status)


def invoke(local: LocalAws, endpoint: str, body: str = "x", **more: Any) -> dict[str, Any]:
    runtime = client(local.url, "sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType="text/csv", **more)
    return {"answered": answer["ContentType"], **json.loads(answer["Body"].read())}


def test_the_answer_of_a_container_is_the_request_of_the_next(pipeline: LocalAws) -> None:
    last = invoke(pipeline, "dogs", Accept="text/plain")
    first = json.loads(last["given"])
    assert (first["by"], first["given"], first["type"], first["setting"]) == ("one", "x", "text/csv", "of one")
    assert (last["by"], last["type"], last["setting"]) == ("two", "application/x-one", "of two")
    assert last["answered"] == "application/x-two"
    assert first["process"] != last["process"]


def test_what_a_client_accepts_is_asked_of_the_last_container_and_of_no_other(pipeline: LocalAws) -> None:
    last = invoke(pipeline, "dogs", Accept="text/plain")
    assert (json.loads(last["given"])["accept"], last["accept"]) == ("application/json", "text/plain")
    anything = invoke(pipeline, "dogs", Accept="*/*")
    assert anything["accept"] == "application/json"


def test_a_containers_variable_says_what_it_answers_where_nothing_is_accepted(local: LocalAws) -> None:
    csv = container("one")
    csv["Environment"] = {**csv["Environment"], "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"}
    deploy(local, "birds", csv, container("two"))
    assert json.loads(invoke(local, "birds", Accept="text/plain")["given"])["accept"] == "text/csv"


def test_an_error_names_the_container_that_it_comes_from(pipeline: LocalAws) -> None:
    for version, name in (("one", "container-1"), ("two", "container-2")):
        with pytest.raises(ClientError, match=rf'client error \(400\) from {name} with message "not this"') as raised:
            invoke(pipeline, "dogs", f"refuse {version}")
        assert raised.value.response["Error"]["Code"] == "ModelError"


def test_each_container_has_a_log_of_its_own(pipeline: LocalAws) -> None:
    logs = client(pipeline.url, "logs")
    group = "/aws/sagemaker/Endpoints/dogs"
    for number, version in enumerate(("one", "two"), start=1):
        stream = f"all/dogs/container-{number}"
        events = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
        assert events[0]["message"] == f"this is {version}"


def test_an_endpoint_that_fails_names_the_container_that_did_not_start(local: LocalAws) -> None:
    sagemaker = client(local.url, "sagemaker")
    missing = {**container("two"), "ModelDataUrl": "s3://bucket/empty"}
    client(local.url, "s3").put_object(Bucket="bucket", Key="empty", Body=model_archive("x", code="raise OSError"))
    deploy(local, "frogs", container("one"), missing, status="Failed")
    described = sagemaker.describe_endpoint(EndpointName="frogs")
    assert (
        "The container-2 container for production variant all did not pass the ping health check"
        in described["FailureReason"]
    )


def test_a_container_that_is_killed_comes_back_with_its_instance(pipeline: LocalAws) -> None:
    before = invoke(pipeline, "dogs")
    os.kill(find_process(before["process"]), signal.SIGKILL)
    after = invoke(pipeline, "dogs")
    first = [json.loads(answer["given"])["process"] for answer in (before, after)]
    assert after["process"] != before["process"]
    assert first[0] != first[1]


def test_a_request_goes_to_the_container_that_it_names(direct: LocalAws) -> None:
    for version in ("one", "two"):
        answer = invoke(direct, "cats", TargetContainerHostname=f"host-{version}")
        assert (answer["by"], answer["given"], answer["type"]) == (version, "x", "text/csv")
    with pytest.raises(ClientError, match="from host-two with message"):
        invoke(direct, "cats", "refuse two", TargetContainerHostname="host-two")


@pytest.mark.usefixtures("direct", "pipeline")
@pytest.mark.parametrize(
    ("endpoint", "target", "words"),
    [
        ("cats", {}, r"must be a container of the endpoint \(host-one, host-two\), and the request names none"),
        ("cats", {"TargetContainerHostname": "other"}, "and other is none of them"),
        ("dogs", {"TargetContainerHostname": "container-1"}, "configured for direct invocation"),
    ],
)
def test_a_request_to_a_container_that_is_not_there_is_refused(
    local: LocalAws, endpoint: str, target: dict[str, str], words: str
) -> None:
    with pytest.raises(ClientError, match=words) as raised:
        invoke(local, endpoint, **target)
    assert raised.value.response["Error"]["Code"] == "ValidationError"


def test_a_transform_job_sends_its_records_through_all_containers(pipeline: LocalAws) -> None:
    sagemaker, s3 = client(pipeline.url, "sagemaker"), client(pipeline.url, "s3")
    s3.put_object(Bucket="bucket", Key="in/a.csv", Body=b"1,2")
    sagemaker.create_transform_job(**{**JOB, "ModelName": "dogs"})
    until(lambda: sagemaker.describe_transform_job(TransformJobName="job")["TransformJobStatus"], "Completed")
    answer = json.loads(s3.get_object(Bucket="bucket", Key="out/a.csv.out")["Body"].read())
    assert (answer["by"], json.loads(answer["given"])["given"]) == ("two", "1,2")


def test_a_transform_job_has_no_container_to_name(direct: LocalAws) -> None:
    with pytest.raises(ClientError, match="whose containers are invoked directly"):
        client(direct.url, "sagemaker").create_transform_job(**{**JOB, "TransformJobName": "no", "ModelName": "cats"})


def test_a_model_package_may_have_several_containers(local: LocalAws) -> None:
    sagemaker = client(local.url, "sagemaker")
    specification = {
        "Containers": [container("one"), container("two")],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    made = sagemaker.create_model_package(ModelPackageName="packed", InferenceSpecification=specification)
    deploy(local, "fish", {"ModelPackageName": made["ModelPackageArn"], "Environment": {"SETTING": "mine"}})
    answer = invoke(local, "fish")
    assert (answer["by"], answer["setting"], json.loads(answer["given"])["setting"]) == ("two", "mine", "mine")


@pytest.mark.parametrize(
    ("hostnames", "more", "words"),
    [
        (("a", ""), {}, "each must have one"),
        (("a", "a"), {}, "must be unique"),
        (("", ""), DIRECT, "each with a ContainerHostname"),
        (("a",), DIRECT, "more than one container"),
    ],
)
def test_containers_whose_names_do_not_fit_are_refused(
    local: LocalAws, hostnames: tuple[str, ...], more: dict[str, Any], words: str
) -> None:
    containers = [container("one", **({"ContainerHostname": name} if name else {})) for name in hostnames]
    with pytest.raises(ClientError, match=words):
        client(local.url, "sagemaker").create_model(
            ModelName="refused", Containers=containers, ExecutionRoleArn=ROLE, **more
        )
