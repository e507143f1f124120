"""What EventBridge hears of executions and their steps, in the form that SageMaker's events have."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import events

_EXECUTION = "SageMaker Model Building Pipeline Execution Status Change"
_STEP = "SageMaker Model Building Pipeline Execution Step Status Change"


def execution_changed(world: World, execution: Document, before: str | None) -> None:
    """Tell that an execution has begun, or has another status than before."""
    is_over = execution["PipelineExecutionStatus"] not in ("Executing", "Stopping")
    detail = {
        "pipelineExecutionDisplayName": execution.get("PipelineExecutionDisplayName"),
        "pipelineExecutionDescription": execution.get("PipelineExecutionDescription"),
        "currentPipelineExecutionStatus": execution["PipelineExecutionStatus"],
        "previousPipelineExecutionStatus": before,
        "executionStartTime": _time(execution["CreationTime"]),
        "executionEndTime": _time(execution["LastModifiedTime"]) if is_over else None,
    }
    _tell(world, _EXECUTION, execution["PipelineArn"], execution["PipelineExecutionArn"], detail)


def step_changed(world: World, execution_arn: str, step: Document, before: str | None) -> None:
    """Tell that a step has begun, or has another status than before."""
    detail = {
        "stepName": step["StepName"],
        "stepType": step.get("_type"),
        "currentStepStatus": step["StepStatus"],
        "previousStepStatus": before,
        "stepStartTime": _time(step["StartTime"]),
        "stepEndTime": _time(step["EndTime"]) if step.get("EndTime") else None,
        "failureReason": step.get("FailureReason"),
        "metadata": _uncapped(step.get("Metadata") or {}),
    }
    _tell(world, _STEP, execution_arn.rpartition("/execution/")[0], execution_arn, detail)


def _tell(world: World, detail_type: str, pipeline: str, execution: str, detail: Mapping[str, Any]) -> None:
    named = {"pipelineArn": pipeline, "pipelineExecutionArn": execution}
    told = {**{member: value for member, value in detail.items() if value is not None}, **named}
    events.publish(world, detail_type, [pipeline, execution], told)


def _uncapped(value: Any) -> Any:
    """What the API has under names with a capital is told under names without."""
    if isinstance(value, list):
        return [_uncapped(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    return {f"{name[:1].lower()}{name[1:]}": _uncapped(inside) for name, inside in value.items()}


def _time(moment: str) -> str:
    return dt.datetime.fromisoformat(moment).astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
