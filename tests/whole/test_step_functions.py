"""Functions that the SDK's @step makes steps of run as jobs, in an environment that has the SDK and cloudpickle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.local_aws import client, daemon_of
from tests.support.ordinary_user import this_user

PEDIGREE = str(Path(sys.executable).with_name("pedigree"))
PATIENCE_SECONDS = 300
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}

# A script as a user of the SDK writes it; its last line is the result as JSON.
USER = """
import json
from sagemaker.core.helper.session_helper import get_execution_role
from sagemaker.core.workflow.conditions import ConditionLessThan
from sagemaker.core.workflow.parameters import ParameterInteger
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.function_step import step
from sagemaker.mlops.workflow.pipeline import Pipeline

role = get_execution_role()
offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1"}  # the SDK has each job upgrade the SDK
job = {"image_uri": "image", "instance_type": "ml.m5.large", "role": role, "environment_variables": offline}

@step(name="split", **job)
def split(number):
    return {"half": number / 2}, number

@step(name="evaluate", **job)
def evaluate(parts, whole):
    print("evaluating", parts["half"], "of", whole)
    return {"error": parts["half"] - 20}

@step(name="register", **job)
def register(evaluation):
    return f"registered with {evaluation['error']}"

number = ParameterInteger("Number", 10)
parts = split(number)
evaluation = evaluate(parts[0], parts[1])
is_good = ConditionLessThan(left=evaluation["error"], right=5)
gate = ConditionStep("gate", conditions=[is_good], if_steps=[register(evaluation)], else_steps=[FailStep("bad")])
pipeline = Pipeline("functions", parameters=[number], steps=[gate])
pipeline.upsert(role_arn=role)
execution = pipeline.start(parameters={"Number": 42})
execution.wait(delay=1, max_attempts=300)
statuses = {step["StepName"]: step["StepStatus"] for step in execution.list_steps()}
print(json.dumps({"steps": statuses, "register": execution.result("register")}))
"""


def test_functions_of_the_sdk_run_as_steps(tmp_path: Path) -> None:
    script = tmp_path / "pipeline.py"
    script.write_text(USER)
    folder = tmp_path / "state"
    with daemon_of(this_user(tmp_path), folder, "--container", sys.prefix) as daemon:
        iam = client(daemon.url, "iam", daemon.key)
        trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
        iam.create_role(RoleName="notebook", AssumeRolePolicyDocument=trust)
        command = [PEDIGREE, "local", "exec", "--folder", str(folder), "--as-role", "notebook", "--"]
        environment = {**os.environ, "SAGEMAKER_TELEMETRY_OPT_OUT": "true"}
        user = subprocess.run(
            [*command, sys.executable, "-W", "ignore", str(script)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
    assert user.returncode == 0, user.stderr
    assert json.loads(user.stdout.splitlines()[-1]) == {
        "steps": dict.fromkeys(("split", "evaluate", "gate", "register"), "Succeeded"),
        "register": "registered with 1.0",
    }
