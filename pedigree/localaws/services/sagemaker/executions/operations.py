"""The operations of pipeline executions. An operation only stores documents; the executor reads them and acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions import pipelines, versions
from pedigree.localaws.services.sagemaker.executions.client_tokens import answered_once
from pedigree.localaws.services.sagemaker.executions.core import state
from pedigree.localaws.services.sagemaker.resources.handlers import Request, modified_by
from pedigree.localaws.services.sagemaker.resources.listing import Listing

_EXECUTIONS = Listing(
    "PipelineExecutionSummaries",
    "PipelineExecutionArn",
    sorts={"CreationTime": "CreationTime", "PipelineExecutionArn": "PipelineExecutionArn"},
)
_STEPS = Listing("PipelineExecutionSteps", "StepName", sorts={"CreationTime": "_order"}, page=10)
_PARAMETERS = Listing("PipelineParameters", "Name", sorts={"CreationTime": "_order"}, ascending=True, page=100)


def _required_arn(request: Request) -> str:
    """The execution's ARN, which the API's model leaves open where the operations require it."""
    if "PipelineExecutionArn" not in request:
        raise InvalidRequestError(
            "1 validation error detected: Value null at 'pipelineExecutionArn' failed to satisfy constraint: "
            "Member must not be null"
        )
    return str(request["PipelineExecutionArn"])


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
        **modified_by(request),
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
        changes = {"PipelineExecutionStatus": "Stopping", **modified_by(request)}
        state.change(world, state.id_of(execution["PipelineExecutionArn"]), **changes)
    return execution


def retry_pipeline_execution(world: World, request: Request) -> Mapping[str, Any]:
    what = f"retry/{state.id_of(_required_arn(request))}"
    return answered_once(world, what, request, lambda: _retried(world, request))


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
            **modified_by(request),
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

    return answered_once(world, f"callback/{token}/{'+'.join(answer)}", request, store_answer)
