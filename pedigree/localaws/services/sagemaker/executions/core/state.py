"""The documents of executions and their steps in the store.

An execution's document is what DescribePipelineExecution answers, and a step's what ListPipelineExecutionSteps lists.
Members that only the executor needs begin with an underscore.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.store import Document, DocumentNotFoundError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions.core import events

EXECUTION = "execution"
ACTIVE = "active-execution"
STEP = "execution-step"
CALLBACK = "callback"
REQUEST = "client-request-token"
OVER = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})


def id_of(arn_or_id: str) -> str:
    """An execution's id, the last part of its ARN."""
    return arn_or_id.rsplit("/", 1)[-1]


def get(world: World, arn_or_id: str) -> Document:
    """An execution; ServiceError if it does not exist."""
    try:
        return world.store.get(EXECUTION, id_of(arn_or_id))
    except DocumentNotFoundError:
        raise ServiceError("ResourceNotFound", f"Pipeline execution '{arn_or_id}' does not exist.") from None


def change(world: World, execution_id: str, **members: Any) -> Document:
    """Change members of an execution, and emit an event if its status is another."""
    with world.store.transaction():
        before = world.store.get(EXECUTION, execution_id)["PipelineExecutionStatus"]
        after = world.store.update(
            EXECUTION, execution_id, lambda execution: {**execution, **members, "LastModifiedTime": world.now()}
        )
        if after["PipelineExecutionStatus"] != before:
            events.execution_changed(world, after, before)
    return after


def steps(world: World, execution_id: str) -> Mapping[str, Document]:
    """The steps of an execution that have started, by name."""
    return {entry.body["StepName"]: entry.body for entry in world.store.entries(STEP, f"{execution_id}/")}


def put_step(world: World, execution_id: str, body: Document) -> None:
    """Store a step of an execution."""
    world.store.put(STEP, f"{execution_id}/{body['StepName']}", body)


def of(world: World, pipeline: str) -> list[Document]:
    """The executions of a pipeline, the one that changed last at the end."""
    return [entry.body for entry in world.store.entries(EXECUTION) if entry.body["_pipeline"] == pipeline]


def running(world: World, pipeline: str) -> list[str]:
    """The ARNs of a pipeline's executions that are not over."""
    executions = of(world, pipeline)
    return [each["PipelineExecutionArn"] for each in executions if each["PipelineExecutionStatus"] not in OVER]


def forget(world: World, pipeline: str) -> None:
    """Delete the executions of a pipeline, their steps, and the tokens of the requests that started them."""
    for entry in world.store.entries(REQUEST, f"start/{pipeline}/"):
        world.store.remove(REQUEST, entry.name)
    for execution in of(world, pipeline):
        execution_id = id_of(execution["PipelineExecutionArn"])
        for name in steps(world, execution_id):
            world.store.remove(STEP, f"{execution_id}/{name}")
        world.store.remove(EXECUTION, execution_id)
