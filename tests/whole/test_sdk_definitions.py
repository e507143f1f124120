"""What both versions of the SageMaker SDK write runs on the local AWS as it is: their definitions, code and drivers."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from pedigree.localaws.daemon import LocalAws, Options

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "sdk"
CONTAINER = ROOT / ".venv-container"
BUCKET = "example-123456789012"
ROLE = "AmazonSageMaker-ExecutionRole"
TRUST = {"Effect": "Allow", "Principal": {"Service": ["sagemaker.amazonaws.com", "lambda.amazonaws.com"]}}
PATIENCE_SECONDS = 120
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    started = LocalAws(Options(tmp_path_factory.mktemp("local"), container=CONTAINER.resolve()))
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def made_now(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example of version 3 once more, with the drivers that this SDK uploads beside it."""
    folder = tmp_path_factory.mktemp("made")
    maker = [sys.executable, str(FIXTURES / "make_v3.py"), "runs_locally"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    subprocess.run(maker, env={**environment, "SDK_DEFINITIONS": str(folder)}, check=True, capture_output=True)
    return folder / "v3"


def client(local: LocalAws, service: str) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=local.url,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


@pytest.fixture(scope="module")
def account(local: LocalAws) -> LocalAws:
    """An account as those examples expect it: a bucket, a role, a function."""
    iam, functions = client(local, "iam"), client(local, "lambda")
    client(local, "s3").create_bucket(Bucket=BUCKET)
    trust = {"Version": "2012-10-17", "Statement": {**TRUST, "Action": "sts:AssumeRole"}}
    role = iam.create_role(RoleName=ROLE, Path="/service-role/", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    policy = {"Version": "2012-10-17", "Statement": EVERYTHING}
    iam.put_role_policy(RoleName=ROLE, PolicyName="all", PolicyDocument=json.dumps(policy))
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.write(FIXTURES / "scripts" / "announce.py", "announce.py")
    functions.create_function(
        FunctionName="sagemaker-announce", Role=role["Arn"], Runtime="python3.13", Handler="announce.lambda_handler",
        Code={"ZipFile": code.getvalue()},
    )  # fmt: skip
    return local


def uploaded(definition: str) -> Iterator[tuple[str, bytes]]:
    """The scripts at the keys that a definition names: one by its name, or all of them in an archive."""
    scripts = {path.name: path.read_bytes() for path in (FIXTURES / "scripts").iterdir()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(FIXTURES / "scripts", arcname=".")
    contents = {**scripts, "sourcedir.tar.gz": packed.getvalue()}
    for key in re.findall(rf's3://{BUCKET}/([^"\\]+)', definition):
        name = key.rpartition("/")[2]
        if name in contents:
            yield key, contents[name]


def executed(local: LocalAws, name: str, definition: str, code: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """How each step of a definition ends, with its code in the bucket."""
    s3, sagemaker = client(local, "s3"), client(local, "sagemaker")
    for key, content in code:
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    role = f"arn:aws:iam::123456789012:role/service-role/{ROLE}"
    sagemaker.create_pipeline(
        PipelineName=name, PipelineDefinition=definition, RoleArn=role, ClientRequestToken="t" * 32
    )
    arn = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]

    def steps() -> dict[str, str]:
        listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, MaxResults=100)
        return {
            one["StepName"]: one.get("FailureReason") or one["StepStatus"] for one in listed["PipelineExecutionSteps"]
        }

    end = time.monotonic() + PATIENCE_SECONDS
    while sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Executing":
        assert time.monotonic() < end, f"after {PATIENCE_SECONDS} seconds: {steps()}"
        local.world.signal.wait(0.2)
    return steps()


def test_what_version_2_writes_runs(account: LocalAws) -> None:
    definition = (FIXTURES / "v2" / "runs-locally.json").read_text(encoding="utf-8")
    ended = executed(account, "two", definition, uploaded(definition))
    names = ("Prepare", "Search", "Train", "AbaloneEval", "Good", "Register-RegisterModel", "Announce")
    assert ended == dict.fromkeys(names, "Succeeded")


def test_what_version_3_writes_runs(account: LocalAws, made_now: Path) -> None:
    definition = (made_now / "runs-locally.json").read_text(encoding="utf-8")
    code = made_now / "runs-locally"
    files = [path for path in code.rglob("*") if path.is_file()]
    ended = executed(
        account, "three", definition, ((path.relative_to(code).as_posix(), path.read_bytes()) for path in files)
    )
    names = ("Prepare", "Search", "Train", "Evaluate", "Good", "Register", "Announce")
    assert ended == dict.fromkeys(names, "Succeeded")
