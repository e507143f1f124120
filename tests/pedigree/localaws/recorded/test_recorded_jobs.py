"""What AWS said about jobs, word by word. J1 to J20 are the rows of that record.

A comment names where the words were published: the code of a controller that depends on them, an issue, a notebook's
stored output. They are AWS's words, so they stay as they are. J10 and J11 are about quotas and the machines of a
region, which the local AWS does not have; the messages of J15 are a table in jobs/transitions.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.http.protocol.errors import InvalidRequestError
from tests.support.endpoints import ROLE, model_archive
from tests.support.images import images_file
from tests.support.job_runner import LocalJobs, channel
from tests.support.local_aws import client, running_local_aws
from tests.support.pipelines import processing_step
from tests.support.transform_jobs import JOB
from tests.support.users import refused
from tests.support.waiting import until

LONG = "-" + "m" * 70
NAME = "[a-zA-Z0-9](-*[a-zA-Z0-9])"  # as botocore's model has it; the recorded answers have ^ before it


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[LocalJobs]:
    opened = LocalJobs(tmp_path)
    yield opened
    opened.runner.end_all()


def training(**members: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": "job",
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **members,
    }


def processing(**application: Any) -> dict[str, Any]:
    request: dict[str, Any] = processing_step("Work", "true")["Arguments"]
    return {
        **request,
        "ProcessingJobName": "job",
        "AppSpecification": {**request["AppSpecification"], **application},
    }


@pytest.mark.parametrize(
    ("noun", "verb", "code", "beginning"),
    [
        # aws-controllers-k8s/sagemaker-controller and its operator, which tell a job that is gone by these words
        pytest.param("training", "describe", "ValidationException", "Requested resource not found.", id="J1"),
        pytest.param("training", "stop", "ValidationException", "Requested resource not found.", id="J1 stopped"),
        pytest.param("processing", "describe", "ValidationException", "Could not find requested job", id="J2"),
        pytest.param("transform", "describe", "ValidationException", "Could not find requested job with name", id="J3"),
        pytest.param(
            "hyper_parameter_tuning",
            "describe",
            "ResourceNotFound",
            "Amazon SageMaker can't find a tuning job",
            id="J4",
        ),
        pytest.param(
            "hyper_parameter_tuning",
            "stop",
            "ResourceNotFound",
            "Amazon SageMaker can't find a tuning job",
            id="J4 stopped",
        ),
        # programs that stop jobs, and let these words pass
        pytest.param("transform", "stop", "ValidationException", "Could not find job to update with name", id="J5"),
    ],
)
def test_a_job_that_is_missing(url: str, noun: str, verb: str, code: str, beginning: str) -> None:
    ask = getattr(client(url, "sagemaker"), f"{verb}_{noun}_job")
    member = "".join(word.title() for word in noun.split("_"))
    assert refused(lambda: ask(**{f"{member}JobName": "nobody"}), code, 400).startswith(beginning)


# the same programs
def test_j5_a_job_that_has_ended_is_not_stopped(jobs: LocalJobs) -> None:
    jobs.train("exit 1")
    jobs.ended()
    with pytest.raises(InvalidRequestError) as refusal:
        jobs.service.answer("StopTrainingJob", {"TrainingJobName": "job"})
    assert refusal.value.message == "The request was rejected because the training job is in status Failed."


@pytest.mark.parametrize(
    ("members", "words"),
    [
        pytest.param(
            {"TrainingJobName": "my_job"},
            # Kenza-AI/sagify#57
            "1 validation error detected: Value 'my_job' at 'trainingJobName' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {NAME}",
            id="J7",
        ),
        pytest.param(
            {"TrainingJobName": LONG},
            # aws-samples/sagemaker-ml-workflow-with-apache-airflow#3, about a model
            f"2 validation errors detected: Value '{LONG}' at 'trainingJobName' failed to satisfy constraint: "
            f"Member must have length less than or equal to 63; Value '{LONG}' at 'trainingJobName' failed to satisfy "
            f"constraint: Member must satisfy regular expression pattern: {NAME}",
            id="J8",
        ),
        pytest.param(
            {"ResourceConfig": {"InstanceType": "ml.t2.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}},
            # a public traceback
            "1 validation error detected: Value 'ml.t2.medium' at 'resourceConfig.instanceType' failed to satisfy "
            "constraint: Member must satisfy enum value set: [",
            id="J9",
        ),
    ],
)
def test_a_request_that_does_not_fit_is_refused_with_all_its_faults(
    url: str, members: dict[str, Any], words: str
) -> None:
    sagemaker = client(url, "sagemaker")
    said = refused(lambda: sagemaker.create_training_job(**training(**members)), "ValidationException", 400)
    assert said.startswith(words)


# a public traceback
def test_j13_an_image_of_a_processing_job_is_an_address_of_ecr(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with running_local_aws(tmp_path, images=images_file(tmp_path / "mine", pattern="mine*")) as local:
        create = client(local.url, "sagemaker").create_processing_job
        asked = processing(ImageUri="YOUR_SAGEMAKER_CLARIFY_IMAGE_URI")
        assert refused(lambda: create(**asked), "ValidationException", 400) == (
            "Invalid image URI YOUR_SAGEMAKER_CLARIFY_IMAGE_URI. Please provide a valid Amazon Elastic Container "
            "Registry path of the Docker image to run."
        )
        assert create(**processing(ImageUri="mine:1"))["ProcessingJobArn"]


# guides of AWS's support, 2025 and 2026
def test_j16_the_reason_that_a_script_wrote_is_the_jobs(jobs: LocalJobs) -> None:
    said = r'ExecuteUserScriptError:\nExitCode 1\nErrorMessage ""\nCommand "/usr/local/bin/python3.10 train.py"'
    jobs.train(f"printf '{said}' > /opt/ml/output/failure; exit 1")
    assert jobs.ended()["FailureReason"].startswith(
        "AlgorithmError: ExecuteUserScriptError:\nExitCode 1\n"
        'ErrorMessage ""\nCommand "/usr/local/bin/python3.10 train.py"'
    )


# training jobs of 2026
def test_j16_a_training_job_that_says_nothing_has_its_exit_code(jobs: LocalJobs) -> None:
    jobs.train("exit 127")
    assert jobs.ended()["FailureReason"] == "AlgorithmError: , exit code: 127"


# a notebook, and a test of aws/sagemaker-python-sdk that runs Spark
def test_j17_a_processing_job_leaves_a_message(jobs: LocalJobs) -> None:
    words = "Algorithm Error: (caused by CalledProcessError)"
    script = f"echo '{words}' > /opt/ml/output/message; exit 1"
    jobs.service.answer("CreateProcessingJob", processing(ContainerEntrypoint=["/bin/sh", "-c", script]))
    job = jobs.ended("Processing")
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert job["ExitMessage"] == words


# notebooks and a comment in a public pipeline
def test_j19_an_input_in_fastfile_mode_is_a_folder_or_an_object(jobs: LocalJobs) -> None:
    jobs.put("training/1.csv")
    partial = {**channel("train", S3Uri="s3://bucket/train"), "InputMode": "FastFile"}
    jobs.train("true", InputDataConfig=[partial])
    assert jobs.ended()["FailureReason"].startswith(
        "ClientError: Data download failed:Failed to download data. "
        "For FastFile mode, partial S3 prefix is not supported."
    )


@pytest.mark.parametrize("address", ["s3://bucket/training", "s3://bucket/training/1.csv"])
def test_a_folder_and_an_object_are_read_in_fastfile_mode(jobs: LocalJobs, address: str) -> None:
    jobs.put("training/1.csv")
    whole = {**channel("train", S3Uri=address), "InputMode": "FastFile"}
    jobs.train("test -e /opt/ml/input/data/train/1.csv", InputDataConfig=[whole])
    assert jobs.ended()["TrainingJobStatus"] == "Completed"


# a comment in a public pipeline
def test_p17_a_job_streams_its_channels_in_one_way(jobs: LocalJobs) -> None:
    channels = [{**channel(mode), "InputMode": mode} for mode in ("Pipe", "FastFile")]
    with pytest.raises(InvalidRequestError) as refusal:
        jobs.train("true", InputDataConfig=channels)
    assert refusal.value.message == (
        "Cannot use both 'Pipe' and 'FastFile' TrainingInputMode on the same Training Job."
    )


BAD_MODEL = """
def model_fn(folder): return None
def input_fn(body, kind): raise ValueError("bad")
def predict_fn(data, model): return data
def output_fn(prediction, accept): return b"", accept
"""


@pytest.fixture
def transformed(tmp_path: Path) -> Iterator[Callable[[], dict[str, Any]]]:
    """A local AWS with a model that fails; the function describes its transform job when that has ended."""
    with running_local_aws(tmp_path) as local:
        s3, sagemaker = client(local.url, "s3"), client(local.url, "sagemaker")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="model", Body=model_archive("v1", code=BAD_MODEL))
        s3.put_object(Bucket="bucket", Key="in/a", Body=b"x")
        container = {"Image": "image", "ModelDataUrl": "s3://bucket/model"}
        sagemaker.create_model(ModelName="model", PrimaryContainer=container, ExecutionRoleArn=ROLE)
        sagemaker.create_transform_job(**JOB, ModelClientConfig={"InvocationsMaxRetries": 0})

        def ended() -> dict[str, Any]:
            described: dict[str, Any] = sagemaker.describe_transform_job(TransformJobName="job")
            return described if described["TransformJobStatus"] != "InProgress" else {}

        yield lambda: until(ended)


# aws/amazon-sagemaker-examples, deploy_and_monitor/sm-batch_transform_pytorch, cells 27 and 32
def test_j18_and_j20_a_transform_job_is_described_with_its_defaults(
    transformed: Callable[[], dict[str, Any]],
) -> None:
    job = transformed()
    assert job["FailureReason"].endswith("Error: See job logs for more information")
    assert job["DataProcessing"] == {"InputFilter": "$", "JoinSource": "None", "OutputFilter": "$"}
    assert job["TransformInput"] == {**JOB["TransformInput"], "CompressionType": "None", "SplitType": "None"}
    assert job["TransformOutput"] == {**JOB["TransformOutput"], "AssembleWith": "None", "KmsKeyId": ""}
