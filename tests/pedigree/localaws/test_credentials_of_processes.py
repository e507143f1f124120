"""Jobs, functions and model servers have the session of their role, and no other credentials."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pedigree.localaws.daemon import ACCOUNT, LocalAws
from pedigree.localaws.kernel.access_key import key_path
from tests.support.endpoints import create_endpoint, invoke_endpoint, model_archive
from tests.support.lambda_functions import create_function, invoke
from tests.support.local_aws import KEY, client, running_local_aws
from tests.support.users import user_client
from tests.support.waiting import until

FOREIGN = "a key of a real account"
MODEL = """
import json, os
def model_fn(folder):
    return None
def input_fn(body, kind):
    return None
def predict_fn(data, model):
    return dict(os.environ)
def output_fn(prediction, accept):
    return json.dumps(prediction), accept
"""
FUNCTION = """
    import os
    def handler(event, context):
        return dict(os.environ)
"""


@pytest.fixture
def local(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAws]:
    """A local AWS that was started where keys of a real account are in the environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, FOREIGN)
    with running_local_aws(tmp_path_factory.mktemp("local")) as started:
        client(started.url, "s3").create_bucket(Bucket="bucket")
        yield started


def environment_of_a_job(local: LocalAws) -> Mapping[str, str]:
    sagemaker, logs = client(local.url, "sagemaker"), client(local.url, "logs")
    sagemaker.create_processing_job(
        ProcessingJobName="job",
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/job",
        AppSpecification={"ImageUri": "image", "ContainerEntrypoint": ["/usr/bin/env"]},
        ProcessingResources={"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
    )
    until(lambda: sagemaker.describe_processing_job(ProcessingJobName="job")["ProcessingJobStatus"], "Completed")
    events = logs.filter_log_events(logGroupName="/aws/sagemaker/ProcessingJobs")["events"]
    return dict(event["message"].partition("=")[::2] for event in events)


def environment_of_a_function(local: LocalAws) -> Mapping[str, str]:
    create_function(local.url, "environment", FUNCTION)
    variables: Mapping[str, str] = invoke(local.url, "environment")["body"]
    return variables


def environment_of_a_model(local: LocalAws) -> Mapping[str, str]:
    create_endpoint(local.url)
    client(local.url, "s3").put_object(Bucket="bucket", Key="own", Body=model_archive("own", code=MODEL))
    sagemaker = client(local.url, "sagemaker")
    container = {"Image": "image", "ModelDataUrl": "s3://bucket/own"}
    arn = f"arn:aws:iam::{ACCOUNT}:role/model"
    sagemaker.create_model(ModelName="own", PrimaryContainer=container, ExecutionRoleArn=arn)
    variant = {"VariantName": "all", "ModelName": "own", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="own", ProductionVariants=[variant])
    sagemaker.update_endpoint(EndpointName="dogs", EndpointConfigName="own")
    until(lambda: sagemaker.describe_endpoint(EndpointName="dogs")["EndpointStatus"], "InService")
    return invoke_endpoint(local.url)


PROCESSES: Mapping[str, Any] = {
    "job": environment_of_a_job,
    "function": environment_of_a_function,
    "model": environment_of_a_model,
}


@pytest.mark.parametrize("role", PROCESSES)
def test_a_process_has_its_roles_session_only(local: LocalAws, role: str) -> None:
    variables = PROCESSES[role](local)
    key = {
        "AccessKeyId": variables["AWS_ACCESS_KEY_ID"],
        "SecretAccessKey": variables["AWS_SECRET_ACCESS_KEY"],
        "SessionToken": variables["AWS_SESSION_TOKEN"],
    }
    assert f":assumed-role/{role}/" in user_client(local, "sts", key).get_caller_identity()["Arn"]
    written = json.dumps(dict(variables))
    secrets = [KEY.id, KEY.secret, FOREIGN, str(key_path(local.world.folder))]
    assert [secret for secret in secrets if secret in written] == []
