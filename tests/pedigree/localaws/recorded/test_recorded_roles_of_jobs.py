"""What AWS said about the roles of jobs, word by word; J6, J12, J14 and J19 are rows of that record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pedigree.localaws.daemon import ACCOUNT, LocalAws
from tests.support.job_runner import channel
from tests.support.local_aws import REGION, arn, client, running_local_aws
from tests.support.users import allowing, document, made_user, refused, user_client
from tests.support.waiting import until

TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
OTHERS = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
FORBIDDEN = "ClientError: Data download failed:failed to download data. 403 Forbidden (403): Forbidden"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), enforces_iam=True) as local:
        iam, s3 = client(local.url, "iam"), client(local.url, "s3")
        iam.create_role(RoleName="blind", AssumeRolePolicyDocument=document(TRUST))
        iam.create_role(RoleName="lister", AssumeRolePolicyDocument=document(TRUST))
        iam.put_role_policy(
            RoleName="lister", PolicyName="own", PolicyDocument=document(allowing("s3:ListBucket", "s3:PutObject"))
        )
        iam.create_role(RoleName="function", AssumeRolePolicyDocument=document(OTHERS))
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="train/1.csv", Body=b"1")
        yield local


def role(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def job(role_arn: str, name: str = "job", prefix: str = "train") -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "RoleArn": role_arn,
        "AlgorithmSpecification": {
            "TrainingImage": "image",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["true"],
        },
        "InputDataConfig": [channel("train", S3Uri=f"s3://bucket/{prefix}")],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def said(local: LocalAws, request: dict[str, Any]) -> str:
    create = client(local.url, "sagemaker").create_training_job
    return refused(lambda: create(**request), "ValidationException", 400)


# aws/amazon-sagemaker-examples#2489 and #2267; without ListBucket an object that exists is not found, either
@pytest.mark.parametrize(("name", "prefix"), [("lister", "nothing"), ("blind", "train")])
def test_j6_a_job_is_refused_for_which_its_role_finds_no_objects(local: LocalAws, name: str, prefix: str) -> None:
    assert said(local, job(role(name), prefix=prefix)) == (
        f'No S3 objects found under S3 URL "s3://bucket/{prefix}" given in input data source. Please ensure that the '
        f"bucket exists in the selected region ({REGION}), that objects exist under that S3 prefix, and that the role "
        f'"{role(name)}" has "s3:ListBucket" permissions on bucket "bucket".'
    )
    jobs = client(local.url, "sagemaker").list_training_jobs(NameContains="job")["TrainingJobSummaries"]
    assert [found["TrainingJobName"] for found in jobs if found["TrainingJobName"] == "job"] == []


# a public log
def test_j19_a_job_fails_that_finds_an_object_and_may_not_read_it(local: LocalAws) -> None:
    sagemaker = client(local.url, "sagemaker")
    sagemaker.create_training_job(**job(role("lister"), name="unread"))

    def reason() -> str:
        return str(sagemaker.describe_training_job(TrainingJobName="unread").get("FailureReason", ""))

    assert until(reason).startswith(FORBIDDEN)


def test_a_job_is_refused_whose_role_cannot_be_assumed(local: LocalAws) -> None:
    for name in ("function", "nobody"):
        assert said(local, job(role(name))) == (
            f"Could not assume role {role(name)}. Please ensure that the role exists and allows principal "
            "'sagemaker.amazonaws.com' to assume the role."
        )


# a guide to AWS's API
def test_j14_a_role_of_another_account_is_not_passed(local: LocalAws) -> None:
    other = role("blind", account="111122223333")
    assert said(local, job(other)) == "RoleArn: Cross-account pass role is not allowed."


# public tracebacks
def test_j12_a_caller_needs_the_action_on_the_job(local: LocalAws) -> None:
    key = made_user(local, "ann")
    create = user_client(local, "sagemaker", key).create_training_job
    message = refused(lambda: create(**job(role("lister"))), "AccessDeniedException", 400)
    assert message == (
        f"User: arn:aws:iam::{ACCOUNT}:user/ann is not authorized to perform: sagemaker:CreateTrainingJob on resource: "
        f"{arn('sagemaker', 'training-job/job')} because no identity-based policy allows the "
        "sagemaker:CreateTrainingJob action"
    )
