"""The events that SageMaker emits about executions and their steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import events

_EXECUTION = "SageMaker Model Building Pipeline Execution Status Change"
_STEP = "SageMaker Model Building Pipeline Execution Step Status Change"


def execution_changed(world: World, execution: Document, before: str | None) -> None:
    """Emit the event for an execution that has started (before is None) or has another status."""
    is_over = execution["PipelineExecutionStatus"] not in ("Executing", "Stopping")
    detail = {
        "pipelineExecutionDisplayName": execution.get("PipelineExecutionDisplayName"),
        "pipelineExecutionDescription": execution.get("PipelineExecutionDescription"),
        "currentPipelineExecutionStatus": execution["PipelineExecutionStatus"],
        "previousPipelineExecutionStatus": before,
        "executionStartTime": events.utc_time(execution["CreationTime"]),
        "executionEndTime": events.utc_time(execution["LastModifiedTime"]) if is_over else None,
    }
    _emit(world, _EXECUTION, execution["PipelineArn"], execution["PipelineExecutionArn"], detail)


def step_changed(world: World, execution_arn: str, step: Document, before: str | None) -> None:
    """Emit the event for a step that has started (before is None) or has another status."""
    detail = {
        "stepName": step["StepName"],
        "stepType": step.get("_type"),
        "currentStepStatus": step["StepStatus"],
        "previousStepStatus": before,
        "stepStartTime": events.utc_time(step["StartTime"]),
        "stepEndTime": events.utc_time(step["EndTime"]) if step.get("EndTime") else None,
        "failureReason": step.get("FailureReason"),
        "metadata": _uncapped(step.get("Metadata") or {}),
    }
    _emit(world, _STEP, execution_arn.rpartition("/execution/")[0], execution_arn, detail)


def _emit(world: World, detail_type: str, pipeline: str, execution: str, detail: Mapping[str, Any]) -> None:
    named = {"pipelineArn": pipeline, "pipelineExecutionArn": execution}
    members = {member: value for member, value in detail.items() if value is not None}
    events.publish(world, detail_type, [pipeline, execution], {**members, **named})


def _uncapped(value: Any) -> Any:
    """Write members as events do: with a small first letter."""
    if isinstance(value, list):
        return [_uncapped(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    return {f"{name[:1].lower()}{name[1:]}": _uncapped(inside) for name, inside in value.items()}
