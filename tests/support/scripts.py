"""Writes scripts that define pipelines, with an SDK beside them that has what pedigree looks at."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

SDK = """
import json
import boto3

class Pipeline:
    def __init__(self, name, steps=(), sagemaker_session=None):
        self.name, self.steps = name, list(steps)

    def definition(self):
        return json.dumps({"Version": "2020-12-01", "Steps": self.steps})

    def upsert(self, role_arn):
        client = boto3.client("sagemaker")
        token = "t" * 32
        return client.create_pipeline(
            PipelineName=self.name, PipelineDefinition=self.definition(), RoleArn=role_arn, ClientRequestToken=token
        )

    def start(self, parameters=None):
        given = [{"Name": name, "Value": str(value)} for name, value in (parameters or {}).items()]
        client = boto3.client("sagemaker")
        return client.start_pipeline_execution(PipelineName=self.name, PipelineParameters=given)["PipelineExecutionArn"]
"""
FAIL_STEP = {"Name": "No", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
USES_SDK = f"from sagemaker.workflow.pipeline import Pipeline\nSTEP = {FAIL_STEP!r}\n"


def write_script(folder: Path, code: str, name: str = "pipeline.py", *, uses_sdk: bool = True) -> Path:
    """A script in a folder; with the SDK, its code has Pipeline and one STEP."""
    package = folder / "sagemaker" / "workflow"
    package.mkdir(parents=True, exist_ok=True)
    for parent in (package, package.parent):
        parent.joinpath("__init__.py").touch()
    package.joinpath("pipeline.py").write_text(SDK)
    path = folder / name
    path.write_text((USES_SDK if uses_sdk else "") + dedent(code))
    return path
