"""Transform jobs of the local AWS: objects through real model servers, alone and as a step of an execution."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import LocalAws, Options
from tests.support.endpoints import ROLE, model_archive
from tests.support.images import images_file
from tests.support.local_aws import client, running_local_aws, with_key
from tests.support.waiting import until

CODE = """
import json, os, time
def model_fn(folder):
    return os.environ.get("FACTOR", "2")
def input_fn(body, kind):
    text = body.decode()
    if "slow" in text:
        time.sleep(60)
    if "die" in text and not os.path.exists(os.environ["DIED"]):
        open(os.environ["DIED"], "w").close()
        os._exit(1)
    return [json.loads(line) for line in text.splitlines() if line.strip()]
def predict_fn(numbers, model):
    return [number * int(model) for number in numbers]
def output_fn(predictions, accept):
    return "\\n".join(json.dumps(answer) for answer in predictions), accept
"""
JSON_LINES = "application/jsonlines"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path) as local:
        prepared(local)
        yield local


def prepared(local: LocalAws) -> None:
    objects = client(local.url, "s3")
    objects.create_bucket(Bucket="bucket")
    objects.put_object(Bucket="bucket", Key="model", Body=model_archive("v1", code=CODE))
    died = local.world.folder / "outside" / "died"
    container = {"Image": "image", "ModelDataUrl": "s3://bucket/model", "Environment": {"DIED": str(died)}}
    client(local.url, "sagemaker").create_model(ModelName="double", PrimaryContainer=container, ExecutionRoleArn=ROLE)


def request(prefix: str = "in", **more: Any) -> dict[str, Any]:
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://bucket/{prefix}"}}}
    return {
        "ModelName": "double",
        "BatchStrategy": "SingleRecord",
        "TransformInput": {**source, "ContentType": JSON_LINES, "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": "s3://bucket/out", "AssembleWith": "Line", "Accept": JSON_LINES},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **more,
    }


def put(local: LocalAws, key: str, content: bytes) -> None:
    client(local.url, "s3").put_object(Bucket="bucket", Key=key, Body=content)


def lines(local: LocalAws, key: str) -> list[Any]:
    content = client(local.url, "s3").get_object(Bucket="bucket", Key=key)["Body"].read()
    return [json.loads(line) for line in content.splitlines()]


def keys(local: LocalAws, prefix: str) -> list[str]:
    return [
        entry["Key"]
        for entry in client(local.url, "s3").list_objects_v2(Bucket="bucket", Prefix=prefix).get("Contents", [])
    ]


def described(local: LocalAws, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = client(local.url, "sagemaker").describe_transform_job(TransformJobName=name)
    return answer


def ended(local: LocalAws, status: str, name: str = "job", **members: Any) -> dict[str, Any]:
    """Create a job, wait for its end, check its status, and return its description."""
    client(local.url, "sagemaker").create_transform_job(TransformJobName=name, **{**request(), **members})
    until(lambda: described(local, name)["TransformJobStatus"] not in ("InProgress", "Stopping"), expected=True)
    found = described(local, name)
    assert found["TransformJobStatus"] == status, found.get("FailureReason")
    return found


def test_every_object_comes_back_transformed(local: LocalAws) -> None:
    put(local, "in/a.jsonl", b"1\n2\n3\n")
    put(local, "in/deep/b.jsonl", b"4")
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2}
    found = ended(local, "Completed", TransformResources=resources, Environment={"FACTOR": "10"})
    assert found["TransformEndTime"] >= found["TransformStartTime"] >= found["CreationTime"]
    assert lines(local, "out/a.jsonl.out") == [10, 20, 30]
    assert lines(local, "out/deep/b.jsonl.out") == [40]
    (listed,) = client(local.url, "sagemaker").list_transform_jobs(StatusEquals="Completed")["TransformJobSummaries"]
    assert listed["TransformJobArn"] == found["TransformJobArn"]


def test_many_records_go_in_one_request_and_results_are_joined(local: LocalAws) -> None:
    source = {**request("in/a.gz")["TransformInput"], "CompressionType": "Gzip"}
    put(local, "in/a.gz", gzip.compress(b'{"id": 1, "number": 4}\n{"id": 2, "number": 5}\n'))
    processing = {"InputFilter": "$.number", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}
    ended(local, "Completed", TransformInput=source, DataProcessing=processing, BatchStrategy="MultiRecord")
    assert lines(local, "out/a.gz.out") == [{"id": 1, "SageMakerOutput": 8}, {"id": 2, "SageMakerOutput": 10}]


def test_a_manifest_names_the_objects_and_what_went_through_is_captured(local: LocalAws) -> None:
    put(local, "in/a.jsonl", b"1")
    put(local, "in/b.jsonl", b"2")
    put(local, "manifest", json.dumps([{"prefix": "s3://bucket/in/"}, "b.jsonl"]).encode())
    data = {"S3DataType": "ManifestFile", "S3Uri": "s3://bucket/manifest"}
    source = {**request()["TransformInput"], "DataSource": {"S3DataSource": data}}
    capture = {"DestinationS3Uri": "s3://bucket/captured"}
    ended(local, "Completed", TransformInput=source, DataCaptureConfig=capture)
    assert keys(local, "out/") == ["out/b.jsonl.out"]
    (key,) = keys(local, "captured/input/")
    assert lines(local, key) == [[{"prefix": "s3://bucket/"}, "in/b.jsonl"]]


def test_an_object_that_fails_fails_the_job_and_keeps_the_others(local: LocalAws) -> None:
    put(local, "in/a.jsonl", b"1")
    put(local, "in/b.jsonl", b"no number")
    found = ended(local, "Failed", ModelClientConfig={"InvocationsMaxRetries": 0})
    assert found["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert keys(local, "out/") == ["out/a.jsonl.out"]
    said = client(local.url, "logs").filter_log_events(logGroupName="/aws/sagemaker/TransformJobs")["events"]
    assert any("in/b.jsonl: AlgorithmError: the model answered 500" in event["message"] for event in said)


def test_a_model_server_that_dies_costs_no_record(local: LocalAws) -> None:
    put(local, "in/a.jsonl", b'1\n2\n"die"\n3\n')
    ended(local, "Completed", Environment={"FACTOR": "1"})
    assert lines(local, "out/a.jsonl.out") == [1, 2, "die", 3]


def test_what_cannot_be_begun_says_why(local: LocalAws) -> None:
    sagemaker = client(local.url, "sagemaker")
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.create_transform_job(TransformJobName="job", **{**request(), "ModelName": "nobody"})
    whole = {**request()["TransformInput"], "SplitType": "None"}
    multi_record = {**request(), "TransformInput": whole, "BatchStrategy": "MultiRecord"}
    with pytest.raises(ClientError, match="SplitType must be specified"):
        sagemaker.create_transform_job(TransformJobName="job", **multi_record)
    assert ended(local, "Failed")["FailureReason"] == "ClientError: S3 key: s3://bucket/in matched no files on s3"
    with pytest.raises(ClientError, match="already exists"):
        sagemaker.create_transform_job(TransformJobName="job", **request())


def test_a_job_is_stopped_while_its_model_works(local: LocalAws) -> None:
    put(local, "in/a.jsonl", b'"slow"\n')
    sagemaker = client(local.url, "sagemaker")
    sagemaker.create_transform_job(TransformJobName="job", **request())
    until(lambda: "TransformStartTime" in described(local, "job"), expected=True)
    sagemaker.stop_transform_job(TransformJobName="job")
    until(lambda: described(local, "job")["TransformJobStatus"], "Stopped")
    assert keys(local, "out/") == []
    with pytest.raises(ClientError, match="is in status Stopped"):
        sagemaker.stop_transform_job(TransformJobName="job")


def test_a_job_continues_after_a_restart(tmp_path: Path) -> None:
    first = LocalAws(Options(with_key(tmp_path), enforces_iam=False, images=images_file(tmp_path)))
    first.start()
    prepared(first)
    put(first, "in/a.jsonl", b"1\n2\n")
    client(first.url, "sagemaker").create_transform_job(TransformJobName="job", **request())
    first.stop()
    second = LocalAws(Options(with_key(tmp_path), enforces_iam=False, images=images_file(tmp_path)))
    second.start()
    until(lambda: described(second, "job")["TransformJobStatus"], "Completed")
    assert lines(second, "out/a.jsonl.out") == [2, 4]
    second.stop()


def test_a_step_of_an_execution_transforms(local: LocalAws) -> None:
    put(local, "in/a.jsonl", b"21")
    step = {"Name": "Transform", "Type": "Transform", "Arguments": request()}
    condition = {
        "Name": "Check",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [
                {
                    "Type": "Equals",
                    "LeftValue": {"Get": "Steps.Transform.TransformOutput.S3OutputPath"},
                    "RightValue": "s3://bucket/out",
                }
            ],
            "IfSteps": [],
            "ElseSteps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "elsewhere"}}],
        },
    }
    definition = {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": [step, condition]}
    sagemaker = client(local.url, "sagemaker")
    sagemaker.create_pipeline(
        PipelineName="batch", PipelineDefinition=json.dumps(definition), RoleArn=ROLE, ClientRequestToken="t" * 32
    )
    arn = sagemaker.start_pipeline_execution(PipelineName="batch", ClientRequestToken="s" * 32)["PipelineExecutionArn"]

    def status() -> str:
        answer = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        return str(answer["PipelineExecutionStatus"])

    until(lambda: status() != "Executing", expected=True)
    assert status() == "Succeeded"
    assert lines(local, "out/a.jsonl.out") == [42]
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    transformed = next(step for step in steps if step["StepName"] == "Transform")
    assert "transform-job" in transformed["Metadata"]["TransformJob"]["Arn"]
