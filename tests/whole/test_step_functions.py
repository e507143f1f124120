"""Functions that the SDK's @step makes steps of run as jobs, in an environment that has the SDK and cloudpickle."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.sdk_scripts import result_of

# A script as a user of the SDK writes it.
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
with open("result.json", "w") as file:
    json.dump({"steps": statuses, "register": execution.result("register")}, file)
"""


def test_functions_of_the_sdk_run_as_steps(tmp_path: Path) -> None:
    assert result_of(USER, tmp_path, container=Path(sys.prefix)) == {
        "steps": dict.fromkeys(("split", "evaluate", "gate", "register"), "Succeeded"),
        "register": "registered with 1.0",
    }
