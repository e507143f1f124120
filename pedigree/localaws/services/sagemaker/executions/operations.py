"""The operations of pipeline executions. An operation only stores documents; the executor reads them and acts."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping
from typing import Any

from pedigree.language import definition
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions import (
    definition_checks,
    parameters,
    pipelines,
    runnable,
    selection,
    versions,
)
from pedigree.localaws.services.sagemaker.executions.core import events, state
from pedigree.localaws.services.sagemaker.resources.handlers import CALLER, Request
from pedigree.localaws.services.sagemaker.resources.listing import Listing

_ALPHABET = string.ascii_lowercase + string.digits
_EXECUTIONS = Listing(
    "PipelineExecutionSummaries",
    "PipelineExecutionArn",
    sorts={"CreationTime": "CreationTime", "PipelineExecutionArn": "PipelineExecutionArn"},
)
_STEPS = Listing("PipelineExecutionSteps", "StepName", sorts={"CreationTime": "_order"}, page=10)
_PARAMETERS = Listing("PipelineParameters", "Name", sorts={"CreationTime": "_order"}, ascending=True, page=100)


def start_pipeline_execution(world: World, request: Request) -> Mapping[str, Any]:
    name = pipelines.name_of(world, request["PipelineName"])
    answer = _once(world, f"start/{name}", request, lambda: _started(world, request, name))
    definition_checks.log_errors(name, state.get(world, answer["PipelineExecutionArn"])["_definition"])
    return answer


def _required_arn(request: Request) -> str:
    """The execution's ARN, which the API's model leaves open where the operations require it."""
    if "PipelineExecutionArn" not in request:
        raise InvalidRequestError(
            "1 validation error detected: Value null at 'pipelineExecutionArn' failed to satisfy constraint: "
            "Member must not be null"
        )
    return str(request["PipelineExecutionArn"])


def _once(world: World, what: str, request: Request, act: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Act once for all requests with the same token; the others get the first answer."""
    token = request.get("ClientRequestToken")
    with world.store.transaction():
        earlier = world.store.find(state.REQUEST, f"{what}/{token}") if token else None
        answer = earlier or {"PipelineExecutionArn": act()["PipelineExecutionArn"]}
        if token and not earlier:
            world.store.put(state.REQUEST, f"{what}/{token}", answer)
    return answer


def _started(world: World, request: Request, name: str) -> Mapping[str, Any]:
    pipeline = pipelines.PIPELINE.get(world, name)
    version = versions.find(world, pipeline, request)
    execution_id = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    arn = f"{pipeline['PipelineArn']}/execution/{execution_id}"
    execution = _new(world, request, pipeline, version, arn)
    world.store.add(state.EXECUTION, execution_id, execution)
    world.store.put(state.ACTIVE, execution_id, {})
    selection.take_over(world, request.get("SelectiveExecutionConfig"), execution_id)
    world.store.put(pipelines.PIPELINE.kind, name, {**pipeline, "LastRunTime": world.now()})
    events.execution_changed(world, execution, None)
    return execution


def _new(world: World, request: Request, pipeline: Document, version: Document, arn: str) -> Document:
    written = request.get("PipelineParameters", [])
    read = definition.parse(version["PipelineDefinition"])
    runnable.check(read)
    values = parameters.given(read, {parameter["Name"]: parameter["Value"] for parameter in written})
    selection.check(world, request.get("SelectiveExecutionConfig"), pipeline["PipelineName"], read)
    moment = world.now()
    members = ("PipelineExecutionDisplayName", "PipelineExecutionDescription", "SelectiveExecutionConfig")
    return {
        **{member: request[member] for member in members if member in request},
        **({"CreatedBy": {"IamIdentity": {"Arn": request[CALLER]}}} if CALLER in request else {}),
        "PipelineArn": pipeline["PipelineArn"],
        "PipelineExecutionArn": arn,
        "PipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName", f"execution-{moment}"),
        "PipelineExecutionStatus": "Executing",
        "PipelineVersionId": version["PipelineVersionId"],
        "CreationTime": moment,
        "LastModifiedTime": moment,
        "RoleArn": request.get("RoleArn", pipeline["RoleArn"]),
        "ParallelismConfiguration": request.get("ParallelismConfiguration", pipeline.get("ParallelismConfiguration")),
        "_pipeline": pipeline["PipelineName"],
        "_definition": version["PipelineDefinition"],
        "_written": written,
        "_parameters": values,
    }


def describe_pipeline_execution(world: World, request: Request) -> Mapping[str, Any]:
    execution = state.get(world, request["PipelineExecutionArn"])
    pipeline = pipelines.PIPELINE.get(world, execution["_pipeline"])
    version = versions.find(world, pipeline, {"PipelineVersionId": execution["PipelineVersionId"]})
    return {**execution, "PipelineVersionAliases": version.get("PipelineVersionAliases", [])}


def describe_pipeline_definition_for_execution(world: World, request: Request) -> Mapping[str, Any]:
    execution = state.get(world, request["PipelineExecutionArn"])
    return {"PipelineDefinition": execution["_definition"], "CreationTime": execution["CreationTime"]}


def update_pipeline_execution(world: World, request: Request) -> Mapping[str, Any]:
    execution = state.get(world, request["PipelineExecutionArn"])
    members = ("PipelineExecutionDescription", "PipelineExecutionDisplayName", "ParallelismConfiguration")
    return state.change(
        world,
        state.id_of(execution["PipelineExecutionArn"]),
        **{member: request[member] for member in members if member in request},
    )


def list_pipeline_executions(world: World, request: Request) -> Mapping[str, Any]:
    name = pipelines.name_of(world, request["PipelineName"])
    pipeline = pipelines.PIPELINE.get(world, name)
    is_alias = "PipelineVersionAlias" in request
    wanted = versions.find(world, pipeline, request)["PipelineVersionId"] if is_alias else None
    chosen = [
        {
            **execution,
            "StartTime": execution["CreationTime"],
            "PipelineExecutionFailureReason": execution.get("FailureReason"),
        }
        for execution in state.of(world, name)
        if wanted in (None, execution["PipelineVersionId"])
    ]
    return _EXECUTIONS.answer(chosen, request)


def list_pipeline_execution_steps(world: World, request: Request) -> Mapping[str, Any]:
    execution = state.get(world, _required_arn(request))
    steps = state.steps(world, state.id_of(execution["PipelineExecutionArn"])).values()
    return _STEPS.answer(steps, {**request, "SortBy": "CreationTime"})


def list_pipeline_parameters_for_execution(world: World, request: Request) -> Mapping[str, Any]:
    execution = state.get(world, request["PipelineExecutionArn"])
    numbered = [{**parameter, "_order": f"{index:06d}"} for index, parameter in enumerate(execution["_written"])]
    return _PARAMETERS.answer(numbered, {**request, "SortBy": "CreationTime"})


def stop_pipeline_execution(world: World, request: Request) -> Mapping[str, Any]:
    with world.store.transaction():
        execution = state.get(world, _required_arn(request))
        if execution["PipelineExecutionStatus"] in state.OVER:
            raise InvalidRequestError(
                f"Pipeline execution with ARN {execution['PipelineExecutionArn']} already terminated, its status is "
                f"{execution['PipelineExecutionStatus']}."
            )
        state.change(world, state.id_of(execution["PipelineExecutionArn"]), PipelineExecutionStatus="Stopping")
    return execution


def retry_pipeline_execution(world: World, request: Request) -> Mapping[str, Any]:
    what = f"retry/{state.id_of(_required_arn(request))}"
    return _once(world, what, request, lambda: _retried(world, request))


def _retried(world: World, request: Request) -> Mapping[str, Any]:
    with world.store.transaction():
        execution = state.get(world, request["PipelineExecutionArn"])
        execution_id = state.id_of(execution["PipelineExecutionArn"])
        if execution["PipelineExecutionStatus"] not in ("Failed", "Stopped"):
            raise InvalidRequestError(
                f"Only a failed or stopped execution can be retried, and it is {execution['PipelineExecutionStatus']}."
            )
        for name, step in state.steps(world, execution_id).items():
            if step["StepStatus"] != "Succeeded":
                world.store.remove(state.STEP, f"{execution_id}/{name}")
        changes = {
            "PipelineExecutionStatus": "Executing",
            "FailureReason": None,
            "_round": execution.get("_round", 0) + 1,
        }
        if "ParallelismConfiguration" in request:
            changes["ParallelismConfiguration"] = request["ParallelismConfiguration"]
        world.store.put(state.ACTIVE, execution_id, {})
        return state.change(world, execution_id, **changes)


def send_pipeline_execution_step_success(world: World, request: Request) -> Mapping[str, Any]:
    outputs = {output["Name"]: output["Value"] for output in request.get("OutputParameters", [])}
    return _answered(world, request, {"outputs": outputs})


def send_pipeline_execution_step_failure(world: World, request: Request) -> Mapping[str, Any]:
    return _answered(world, request, {"failure": request.get("FailureReason", "")})


def _answered(world: World, request: Request, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Store the answer to a callback step; a token is good for a single answer."""
    token = request["CallbackToken"]

    def store_answer() -> Mapping[str, Any]:
        waiting = world.store.find(state.CALLBACK, token)
        if waiting is None or "answer" in waiting:
            raise ServiceError("ResourceNotFound", f"Callback token {token} does not exist, or was answered already.")
        world.store.put(state.CALLBACK, token, {**waiting, "answer": answer})
        return waiting

    return _once(world, f"callback/{token}/{'+'.join(answer)}", request, store_answer)
