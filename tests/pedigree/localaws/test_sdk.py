"""The SDK's own pipeline class, unmodified, upserts, starts, waits, lists, stops and deletes on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from pedigree.localaws.daemon import ACCOUNT, LocalAws, Options
from tests.support.images import images_file
from tests.support.local_aws import client, with_key

# A script as a user of the SDK writes it; its last line is the result as JSON.
USER = """
import json
from sagemaker.core.workflow.conditions import ConditionEquals
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline

kind = ParameterString("Kind", "a")
no = FailStep("No", error_message="nope")
gate = ConditionStep("Gate", conditions=[ConditionEquals(kind, "a")], if_steps=[], else_steps=[no])
pipeline = Pipeline(name="sdk", parameters=[kind], steps=[gate], sagemaker_session=PipelineSession())
role = "arn:aws:iam::%s:role/pipeline"
pipeline.upsert(role_arn=role, tags=[{"Key": "a", "Value": "b"}])
version = pipeline.upsert(role_arn=role)["PipelineVersionId"]
result = {"version": version, "status": pipeline.describe()["PipelineStatus"]}
first = pipeline.start()
first.wait(delay=1, max_attempts=120)
result["first"] = [first.describe()["PipelineExecutionStatus"], [step["StepName"] for step in first.list_steps()]]
second = pipeline.start(parameters={"Kind": "b"})
try:
    second.wait(delay=1, max_attempts=120)
except Exception as error:
    result["error"] = type(error).__name__
result["second"] = [second.describe()["FailureReason"], second.list_steps()[0]["FailureReason"]]
result["listed"] = len(pipeline.list_executions()["PipelineExecutionSummaries"])
result["deleted"] = pipeline.delete()["PipelineArn"]
print(json.dumps(result))
"""
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}


def test_the_sdk_is_served_as_by_aws(tmp_path: Path) -> None:
    local = LocalAws(Options(with_key(tmp_path), enforces_iam=False, images=images_file(tmp_path)))
    local.start()
    trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    client(local.url, "iam").create_role(RoleName="pipeline", AssumeRolePolicyDocument=trust)
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": local.url,
        **local.key.environment,
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAGEMAKER_TELEMETRY_OPT_OUT": "true",
    }
    command = [sys.executable, "-W", "ignore", "-c", USER % ACCOUNT]
    user = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    local.stop()
    assert user.returncode == 0, user.stderr
    assert json.loads(user.stdout.splitlines()[-1]) == {
        "version": 2,
        "status": "Active",
        "first": ["Succeeded", ["Gate"]],
        "error": "WaiterError",
        "second": ["Step failure: One or multiple steps failed.", "nope"],
        "listed": 2,
        "deleted": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/sdk",
    }
