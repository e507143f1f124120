"""Pipelines of steps that do nothing, as plain definitions, so that all of their time is the orchestrator's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Step: TypeAlias = Mapping[str, Any]


def services(count: int, function: str) -> str:
    """Returns Lambda and Condition steps in turn, in a row."""
    return _chained([_condition(number) if number % 2 else _call(number, function) for number in range(count)])


def jobs(count: int, command: Sequence[str], role: str) -> str:
    """Returns processing steps in a row."""
    return _chained([_job(number, command, role) for number in range(count)])


def fan_out(count: int, function: str) -> str:
    """Returns parallel Lambda steps, and one that waits for all of them."""
    width = count - 1
    last = {**_call(width, function), "DependsOn": [_name(number) for number in range(width)]}
    return _definition([*(_call(number, function) for number in range(width)), last])


def _name(number: int) -> str:
    return f"Step{number:03d}"


def _chained(steps: Sequence[Step]) -> str:
    first, *others = steps
    before = [step["Name"] for step in steps]
    return _definition([first, *({**step, "DependsOn": [name]} for step, name in zip(others, before, strict=False))])


def _definition(steps: Sequence[Step]) -> str:
    return json.dumps({"Version": "2020-12-01", "Steps": steps})


def _call(number: int, function: str) -> Step:
    return {"Name": _name(number), "Type": "Lambda", "FunctionArn": function, "Arguments": {}}


def _condition(number: int) -> Step:
    holds = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    return {
        "Name": _name(number),
        "Type": "Condition",
        "Arguments": {"Conditions": [holds], "IfSteps": [], "ElseSteps": []},
    }


def _job(number: int, command: Sequence[str], role: str) -> Step:
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    return {
        "Name": _name(number),
        "Type": "Processing",
        "Arguments": {
            "RoleArn": role,
            "AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": list(command)},
            "ProcessingResources": {"ClusterConfig": cluster},
        },
    }
