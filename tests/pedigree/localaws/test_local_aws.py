"""A whole local AWS, called by unmodified boto3 over HTTP, and restarted in the same folder."""

from __future__ import annotations

import http.client
import io
import json
import socket
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import ACCOUNT, LocalAws, Options
from tests.support.images import images_file
from tests.support.lambda_functions import TRUST
from tests.support.local_aws import client, with_key
from tests.support.pipelines import ROLE, STATUS, definition
from tests.support.waiting import until


def send(local: LocalAws, host: str, method: str = "POST", path: str = "/") -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", local.port, timeout=60)
    connection.request(method, path, b"{}", {"Host": host})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    return answer.status, body


def test_an_execution_waits_for_the_answer_to_its_message(local: LocalAws) -> None:
    queue = client(local.url, "sqs").create_queue(QueueName="await")["QueueUrl"]
    waiting = {"Name": "Wait", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {"a": "b"}}
    sagemaker = client(local.url, "sagemaker")
    sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=definition(waiting), RoleArn=ROLE)
    arn = sagemaker.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]
    received: list[dict[str, Any]] = []

    def messages() -> int:
        received.extend(client(local.url, "sqs").receive_message(QueueUrl=queue).get("Messages", []))
        return len(received)

    until(messages, 1)
    sagemaker.send_pipeline_execution_step_success(CallbackToken=json.loads(received[0]["Body"])["token"])
    until(lambda: sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)[STATUS], "Succeeded")


def test_a_job_reads_and_writes_the_objects_that_clients_see(local: LocalAws) -> None:
    s3, sagemaker = client(local.url, "s3"), client(local.url, "sagemaker")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="in/a", Body=b"text")
    place = {"S3Uri": "s3://bucket/in/", "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"}
    output = {"S3Uri": "s3://bucket/out", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    sagemaker.create_processing_job(
        ProcessingJobName="job",
        RoleArn=ROLE,
        AppSpecification={
            "ImageUri": "image",
            "ContainerEntrypoint": ["/bin/sh", "-c", "tr a-z A-Z < /opt/ml/processing/in/a > /opt/ml/processing/out/b"],
        },
        ProcessingInputs=[{"InputName": "in", "S3Input": place}],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": output}]},
        ProcessingResources={"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
    )
    until(lambda: sagemaker.describe_processing_job(ProcessingJobName="job")["ProcessingJobStatus"], "Completed")
    assert s3.get_object(Bucket="bucket", Key="out/b")["Body"].read() == b"TEXT"


def test_a_retried_execution_goes_on_until_it_has_failed_again(local: LocalAws) -> None:
    least = {"Type": "GreaterThan", "LeftValue": 1, "RightValue": 2}
    refused = {"Name": "Refuse", "Type": "Fail", "Arguments": {"ErrorMessage": "too few"}}
    judged = {"Conditions": [least], "IfSteps": [], "ElseSteps": [refused]}
    sagemaker = client(local.url, "sagemaker")
    text = definition({"Name": "Judge", "Type": "Condition", "Arguments": judged})
    sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=text, RoleArn=ROLE)
    arn = sagemaker.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]

    def outcome() -> tuple[str, str | None, int]:
        execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        begun = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
        return execution[STATUS], execution.get("FailureReason"), len(begun)

    until(outcome, ("Failed", "Step failure: One or multiple steps failed.", 2))
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    until(outcome, ("Failed", "Step failure: One or multiple steps failed.", 2))


def test_a_retried_execution_repeats_what_failed_and_nothing_else(local: LocalAws, tmp_path: Path) -> None:
    cure, runs = tmp_path / "outside" / "cure", tmp_path / "outside" / "runs"
    sagemaker = client(local.url, "sagemaker")
    text = definition(shell("First", f"echo first >> {runs}"), shell("Next", f"echo next >> {runs}; test -e {cure}"))
    sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=text, RoleArn=ROLE)
    arn = sagemaker.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]
    until(lambda: sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)[STATUS], "Failed")
    cure.touch()
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    until(lambda: sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)[STATUS], "Succeeded")
    assert sorted(runs.read_text().split()) == ["first", "next", "next"]


def shell(name: str, script: str) -> dict[str, Any]:
    """A processing step that runs a line of shell."""
    machine = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    application = {"ImageUri": "image", "ContainerEntrypoint": ["/bin/sh", "-c", script]}
    arguments = {"RoleArn": ROLE, "AppSpecification": application, "ProcessingResources": {"ClusterConfig": machine}}
    return {"Name": name, "Type": "Processing", "Arguments": arguments}


def test_everything_that_was_acknowledged_is_there_after_a_restart(tmp_path: Path) -> None:
    first = LocalAws(Options(with_key(tmp_path), enforces_iam=False, images=images_file(tmp_path)))
    first.start()
    make_one_of_each(first)
    before = listed(first)
    first.stop()
    second = LocalAws(Options(with_key(tmp_path), enforces_iam=False, images=images_file(tmp_path)))
    second.start()
    assert listed(second) == before
    second.stop()


def make_one_of_each(local: LocalAws) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("function.py", "def handler(event, context): return event\n")
    client(local.url, "iam").create_role(RoleName="pipeline", AssumeRolePolicyDocument=TRUST)
    client(local.url, "sqs").create_queue(QueueName="await")
    client(local.url, "s3").create_bucket(Bucket="bucket")
    client(local.url, "lambda").create_function(
        FunctionName="f", Runtime="python3.13", Role=ROLE, Handler="function.handler", Code={"ZipFile": code.getvalue()}
    )
    client(local.url, "events").put_rule(Name="rule", EventPattern='{"source": ["test"]}')
    client(local.url, "logs").create_log_group(logGroupName="/aws/lambda/f")
    client(local.url, "scheduler").create_schedule(
        Name="weekly",
        ScheduleExpression="rate(7 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p", "RoleArn": ROLE},
    )
    client(local.url, "sagemaker").create_model_package_group(
        ModelPackageGroupName="dogs", Tags=[{"Key": "a", "Value": "b"}]
    )


def listed(local: LocalAws) -> dict[str, Any]:
    """The names of all resources."""
    group = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package-group/dogs"
    return {
        "roles": [role["RoleName"] for role in client(local.url, "iam").list_roles()["Roles"]],
        "queues": [url.rpartition("/")[2] for url in client(local.url, "sqs").list_queues()["QueueUrls"]],
        "buckets": [bucket["Name"] for bucket in client(local.url, "s3").list_buckets()["Buckets"]],
        "functions": [
            function["FunctionName"] for function in client(local.url, "lambda").list_functions()["Functions"]
        ],
        "rules": [rule["Name"] for rule in client(local.url, "events").list_rules()["Rules"]],
        "logs": [group["logGroupName"] for group in client(local.url, "logs").describe_log_groups()["logGroups"]],
        "schedules": [schedule["Name"] for schedule in client(local.url, "scheduler").list_schedules()["Schedules"]],
        "tags": client(local.url, "sagemaker").list_tags(ResourceArn=group)["Tags"],
    }


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example:{port}", ""])
def test_who_asks_for_another_host_is_refused(local: LocalAws, host: str) -> None:
    status, body = send(local, host.format(port=local.port))
    assert (status, body["__type"]) == (403, "ForeignHost")


def test_it_says_that_it_is_ready(local: LocalAws) -> None:
    assert send(local, f"127.0.0.1:{local.port}", "GET", "/_local/health") == (200, {"status": "ready"})


def test_an_answer_comes_in_one_piece(local: LocalAws) -> None:
    """Clients take a head without a body for an empty success: a daemon that is killed must not leave them with one."""
    request = f"GET /_local/health HTTP/1.1\r\nHost: 127.0.0.1:{local.port}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", local.port), timeout=60) as connection:
        for _ in range(200):
            connection.sendall(request)
            assert connection.recv(65_536).endswith(b'{"status": "ready"}')


def test_an_unsigned_request_is_refused(local: LocalAws) -> None:
    assert send(local, f"127.0.0.1:{local.port}")[0] == 403


@pytest.mark.parametrize(
    ("operation", "arguments", "code", "words"),
    [
        ("list_algorithms", {}, "UnknownOperationException", "is not supported by the local AWS"),
        ("describe_pipeline", {"PipelineName": "never"}, "ResourceNotFound", "does not exist"),
        ("describe_training_job", {"TrainingJobName": "never"}, "ValidationException", "Requested resource not found."),
        ("list_pipelines", {"NextToken": "forged"}, "ValidationException", "Invalid pagination token"),
    ],
)
def test_an_impossible_request_is_refused_in_the_words_of_aws(
    local: LocalAws, operation: str, arguments: dict[str, Any], code: str, words: str
) -> None:
    with pytest.raises(ClientError) as raised:
        getattr(client(local.url, "sagemaker"), operation)(**arguments)
    error = raised.value.response["Error"]
    assert error["Code"] == code
    assert words in error["Message"]
