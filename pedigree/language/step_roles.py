"""The role of what a step creates: the one that its request names, and the pipeline's own where it names none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ROLE_MEMBERS = ("RoleArn", "ExecutionRoleArn")
_MEMBER_OF = {"Processing": "RoleArn", "Training": "RoleArn", "AutoML": "RoleArn", "Model": "ExecutionRoleArn"}


def with_pipeline_role(step_type: str, arguments: Mapping[str, Any], role: str) -> Mapping[str, Any]:
    """The arguments of a step, with the pipeline's role where they name none."""
    if member := _MEMBER_OF.get(step_type):
        return {member: role, **arguments}
    if step_type != "Tuning":
        return arguments
    filled = dict(arguments)
    if isinstance(single := filled.get("TrainingJobDefinition"), Mapping):
        filled["TrainingJobDefinition"] = {"RoleArn": role, **single}
    if isinstance(several := filled.get("TrainingJobDefinitions"), list):
        filled["TrainingJobDefinitions"] = [
            {"RoleArn": role, **definition} if isinstance(definition, Mapping) else definition for definition in several
        ]
    return filled
