"""Selective execution: runs some steps only, with the results of the others from an earlier execution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.language.definition import Definition
from pedigree.language.graph import edges
from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions.core import state
from pedigree.localaws.services.sagemaker.executions.core.step_records import parent_of

_SOURCES = ("Succeeded", "Failed")


def check(world: World, selection: Mapping[str, Any] | None, pipeline: str, read: Definition) -> None:
    """Refuse a selection whose steps need results that no execution has."""
    if selection is None:
        return
    selected = [step["StepName"] for step in selection["SelectedSteps"]]
    unknown = [name for name in selected if name not in read.by_name()]
    if unknown:
        raise InvalidRequestError(f"SelectedSteps has {', '.join(unknown)}, and the pipeline has no such step.")
    ended = _ended(world, selection.get("SourcePipelineExecutionArn"), pipeline)
    needed = {edge.source for edge in edges(read) if edge.reason == "data" and edge.target in selected}
    lacking = sorted(name for name in needed - set(selected) if ended.get(name) != "Succeeded")
    if lacking and "SourcePipelineExecutionArn" not in selection:
        words = f"SelectedSteps use what {', '.join(lacking)} came to, so a SourcePipelineExecutionArn is required."
        raise InvalidRequestError(words)
    if lacking:
        raise InvalidRequestError(
            f"SelectedSteps use what {', '.join(lacking)} came to, and in the source execution "
            f"{selection['SourcePipelineExecutionArn']} these have not succeeded."
        )


def _ended(world: World, source: str | None, pipeline: str) -> Mapping[str, str]:
    """The statuses of the steps of a source execution, by name."""
    if source is None:
        return {}
    execution = state.get(world, source)
    if execution["_pipeline"] != pipeline:
        raise InvalidRequestError(f"The source execution {source} is not one of the pipeline {pipeline}.")
    if execution["PipelineExecutionStatus"] not in _SOURCES:
        status = execution["PipelineExecutionStatus"]
        raise InvalidRequestError(f"The source execution {source} is {status}; it must have succeeded or failed.")
    steps = state.steps(world, state.id_of(source))
    return {name: step["StepStatus"] for name, step in steps.items()}


def take_over(world: World, selection: Mapping[str, Any] | None, execution_id: str) -> None:
    """Copy the results of all other steps from the source execution."""
    if selection is None:
        return
    selected = [step["StepName"] for step in selection["SelectedSteps"]]
    state.change(world, execution_id, _selected=selected)
    source = selection.get("SourcePipelineExecutionArn")
    for name, step in state.steps(world, state.id_of(source)).items() if source else ():
        if name not in selected and parent_of(step) not in selected and step["StepStatus"] == "Succeeded":
            result = {"SourcePipelineExecutionArn": source}
            state.put_step(world, execution_id, {**step, "SelectiveExecutionResult": result})
