"""Pipeline definitions as small as tests of executions need them."""

from __future__ import annotations

import json
from typing import Any

from pedigree.localaws.daemon import ACCOUNT

STATUS = "PipelineExecutionStatus"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pipeline"


def definition(*steps: dict[str, Any]) -> str:
    return json.dumps({"Version": "2020-12-01", "Steps": list(steps)})


def processing_step(name: str, *command: str, after: str = "") -> dict[str, Any]:
    """A step whose job runs a command; it may depend on another step."""
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    arguments = {
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": list(command)},
        "ProcessingResources": {"ClusterConfig": cluster},
    }
    return {"Name": name, "Type": "Processing", "Arguments": arguments, "DependsOn": [after] if after else []}
