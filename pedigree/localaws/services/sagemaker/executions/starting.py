"""Starts executions: a definition that cannot run here is refused before anything of the execution is stored."""

from __future__ import annotations

import datetime as dt
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.language import definition
from pedigree.language.definition import Definition
from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions import (
    definition_checks,
    experiments,
    parameters,
    pipelines,
    runnable,
    selection,
    versions,
)
from pedigree.localaws.services.sagemaker.executions.client_tokens import answered_once
from pedigree.localaws.services.sagemaker.executions.core import events, state
from pedigree.localaws.services.sagemaker.resources.handlers import Request, created_by
from pedigree.localaws.services.sagemaker.resources.images import Images

_ALPHABET = string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class ExecutionStarts:
    """The operation that starts an execution; images say what its jobs can run."""

    images: Images

    def start_pipeline_execution(self, world: World, request: Request) -> Mapping[str, Any]:
        name = pipelines.name_of(world, request["PipelineName"])
        answer = answered_once(world, f"start/{name}", request, lambda: _started(world, request, name, self.images))
        definition_checks.log_errors(name, state.get(world, answer["PipelineExecutionArn"])["_definition"])
        return answer


def _started(world: World, request: Request, name: str, images: Images) -> Mapping[str, Any]:
    pipeline = pipelines.PIPELINE.get(world, name)
    if "RoleArn" in request:
        raise InvalidRequestError(
            "RoleArn cannot be specified for a pipeline that you create: its executions use the pipeline's role."
        )
    version = versions.find(world, pipeline, request)
    execution_id = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    arn = f"{pipeline['PipelineArn']}/execution/{execution_id}"
    read = definition.parse(version["PipelineDefinition"])
    runnable.check(read, images)
    execution = _new(world, request, pipeline, version, arn, read)
    world.store.add(state.EXECUTION, execution_id, execution)
    world.store.put(state.ACTIVE, execution_id, {})
    selection.take_over(world, request.get("SelectiveExecutionConfig"), execution_id)
    world.store.put(pipelines.PIPELINE.kind, name, {**pipeline, "LastRunTime": world.now()})
    events.execution_changed(world, execution, None)
    return execution


def _new(world: World, request: Request, pipeline: Document, version: Document, arn: str, read: Definition) -> Document:
    written = request.get("PipelineParameters", [])
    values = parameters.given(read, {parameter["Name"]: parameter["Value"] for parameter in written})
    selection.check(world, request.get("SelectiveExecutionConfig"), pipeline["PipelineName"], read)
    moment = world.now()
    members = ("PipelineExecutionDisplayName", "PipelineExecutionDescription", "SelectiveExecutionConfig")
    return {
        **{member: request[member] for member in members if member in request},
        **created_by(request),
        "PipelineArn": pipeline["PipelineArn"],
        "PipelineExecutionArn": arn,
        "PipelineExecutionDisplayName": request.get(
            "PipelineExecutionDisplayName", f"execution-{_milliseconds(moment)}"
        ),
        "PipelineExecutionStatus": "Executing",
        "PipelineVersionId": version["PipelineVersionId"],
        "CreationTime": moment,
        "LastModifiedTime": moment,
        "RoleArn": pipeline["RoleArn"],
        "PipelineExperimentConfig": experiments.config(read, values, pipeline["PipelineName"], state.id_of(arn)),
        "ParallelismConfiguration": request.get("ParallelismConfiguration", pipeline.get("ParallelismConfiguration")),
        "_pipeline": pipeline["PipelineName"],
        "_definition": version["PipelineDefinition"],
        "_written": written,
        "_parameters": values,
    }


def _milliseconds(moment: str) -> int:
    return int(dt.datetime.fromisoformat(moment).timestamp() * 1000)
