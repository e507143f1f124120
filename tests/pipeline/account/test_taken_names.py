"""A resource of another owner with one of our names stays unchanged; an upsert reports it before it begins."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pedigree.account.errors import NameTakenError
from pedigree.account.plan import plan
from steps.site import OWNER
from tests.support.accounts import RecordedClients, account, client, plain_documents, state, upsert_resources
from tests.support.fakes.aws import ACCOUNT, REGION

PIPELINE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline"
CATS = {OWNER: f"{PIPELINE}/cats"}
PREDICT = "sagemaker-dog-breeds-predict"
FREED = "exists already and was not made for this pipeline; choose another {} in settings, or tag it"
THEIRS = f"belongs to {PIPELINE}/cats and not to {PIPELINE}/dog-breeds; give one of the two another name in settings"


def role(name: str, labels: dict[str, str]) -> None:
    pairs = [{"Key": key, "Value": value} for key, value in labels.items()]
    document = json.dumps(plain_documents("lambda").trust)
    client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document, Tags=pairs)


def profile() -> None:
    client("iam").create_instance_profile(InstanceProfileName="pedigree-ec2")


def function(labels: dict[str, str]) -> None:
    role("theirs", {})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.py", "")
    client("lambda").create_function(
        FunctionName=PREDICT,
        Role=f"arn:aws:iam::{ACCOUNT}:role/theirs",
        Runtime="python3.13",
        Handler="a.handler",
        Code={"ZipFile": buffer.getvalue()},
        Tags=labels,
    )


def rule(labels: dict[str, str]) -> None:
    pairs = [{"Key": key, "Value": value} for key, value in labels.items()]
    client("events").put_rule(Name="dog-breeds-approved", ScheduleExpression="rate(1 day)", Tags=pairs)


def pipeline(labels: dict[str, str]) -> None:
    client("sagemaker").create_pipeline(
        PipelineName="dog-breeds",
        PipelineDefinition='{"Version": "2020-12-01", "Steps": []}',
        ClientRequestToken="t" * 32,
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/theirs",
        Tags=[{"Key": key, "Value": value} for key, value in labels.items()],
    )


def schedule() -> None:
    client("scheduler").create_schedule(
        Name="dog-breeds",
        ScheduleExpression="rate(1 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": f"{PIPELINE}/cats", "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/theirs"},
    )


def bucket() -> None:
    where: Any = {"LocationConstraint": "eu-west-1"}
    client("s3").create_bucket(Bucket=f"pedigree-{ACCOUNT}-{REGION}", CreateBucketConfiguration=where)


TAKEN: dict[str, tuple[Callable[[], Any], str]] = {
    "a role": (lambda: role("pedigree-job", {}), f"role pedigree-job {FREED.format('name under site.roles')}"),
    "another pipeline's role": (lambda: role("pedigree-job", CATS), f"role pedigree-job {THEIRS}"),
    "a profile": (profile, f"instance profile pedigree-ec2 {FREED.format('name under site.roles')}"),
    "a function": (lambda: function({}), f"function {PREDICT} {FREED.format('pipeline.name')}"),
    "another pipeline's function": (lambda: function(CATS), f"function {PREDICT} {THEIRS}"),
    "a rule": (lambda: rule({}), f"rule dog-breeds-approved {FREED.format('pipeline.name')}"),
    "another pipeline's rule": (lambda: rule(CATS), f"rule dog-breeds-approved {THEIRS}"),
    "another pipeline's queue": (
        lambda: client("sqs").create_queue(QueueName="dog-breeds-await-endpoint", tags=CATS),
        f"queue dog-breeds-await-endpoint {THEIRS}",
    ),
    "another pipeline's log group": (
        lambda: client("logs").create_log_group(logGroupName=f"/aws/lambda/{PREDICT}", tags=CATS),
        f"log group /aws/lambda/{PREDICT} {THEIRS}",
    ),
    "a pipeline": (lambda: pipeline({}), f"pipeline dog-breeds {FREED.format('pipeline.name')}"),
    "a pipeline with another's tag": (lambda: pipeline(CATS), f"pipeline dog-breeds {THEIRS}"),
    "a schedule": (
        schedule,
        f"schedule dog-breeds exists already and starts {PIPELINE}/cats; choose another pipeline.name",
    ),
    "a bucket of another region": (bucket, "lies in eu-west-1, and settings say us-east-1; name one of that region"),
}


@pytest.mark.parametrize("which", TAKEN)
def test_it_is_reported_in_one_line_and_nothing_is_touched(which: str, empty_account: None, handlers: Path) -> None:
    take, words = TAKEN[which]
    take()
    before, watched = state(), RecordedClients()
    with pytest.raises(NameTakenError) as raised:
        plan(upsert_resources(handlers, {"schedule.enabled": True}), account(watched))
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert watched.writing() == []
    assert state() == before
