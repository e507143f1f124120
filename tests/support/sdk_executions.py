"""Executes definitions that an SDK has made, in the account that they expect."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from pedigree.localaws.daemon import LocalAws
from tests.support.local_aws import client

BUCKET = "example-123456789012"
_ROLE = "AmazonSageMaker-ExecutionRole"
_TRUST = {"Effect": "Allow", "Principal": {"Service": ["sagemaker.amazonaws.com", "lambda.amazonaws.com"]}}
_EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
_PATIENCE_SECONDS = 600  # an environment may have to be made first


def create_role(local: LocalAws) -> str:
    """The ARN of the role that the definitions name, which may do everything; its bucket is made, too."""
    client(local.url, "s3").create_bucket(Bucket=BUCKET)
    iam = client(local.url, "iam")
    trust = {"Version": "2012-10-17", "Statement": {**_TRUST, "Action": "sts:AssumeRole"}}
    role = iam.create_role(RoleName=_ROLE, Path="/service-role/", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    policy = {"Version": "2012-10-17", "Statement": _EVERYTHING}
    iam.put_role_policy(RoleName=_ROLE, PolicyName="all", PolicyDocument=json.dumps(policy))
    return str(role["Arn"])


def execute(local: LocalAws, name: str, definition: str, code: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Execute a definition with its code in the bucket; how each step ended."""
    s3, sagemaker = client(local.url, "s3"), client(local.url, "sagemaker")
    for key, content in code:
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    role = f"arn:aws:iam::123456789012:role/service-role/{_ROLE}"
    sagemaker.create_pipeline(
        PipelineName=name, PipelineDefinition=definition, RoleArn=role, ClientRequestToken="t" * 32
    )
    arn = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]

    def steps() -> dict[str, str]:
        listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, MaxResults=100)
        return {
            step["StepName"]: step.get("FailureReason") or step["StepStatus"]
            for step in listed["PipelineExecutionSteps"]
        }

    end = time.monotonic() + _PATIENCE_SECONDS
    while sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Executing":
        assert time.monotonic() < end, f"after {_PATIENCE_SECONDS} seconds: {steps()}"
        local.world.signal.wait(0.2)
    return steps()
