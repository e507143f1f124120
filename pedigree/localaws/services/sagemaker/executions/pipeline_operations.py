"""The operations of pipelines and their versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions import definition_checks, versions
from pedigree.localaws.services.sagemaker.executions.core import state
from pedigree.localaws.services.sagemaker.executions.pipelines import PIPELINE, definition_of, name_of
from pedigree.localaws.services.sagemaker.resources.handlers import CALLER, Request, created_by, modified_by

_NOT_STORED = ("PipelineDefinitionS3Location", "PipelineVersionAliases", CALLER)
_ANSWERED = ("PipelineArn", "PipelineVersionId")


def create_pipeline(world: World, request: Request) -> Mapping[str, Any]:
    text = definition_of(world, request)
    definition_checks.log_errors(request["PipelineName"], text)
    with world.store.transaction():
        before, token = world.store.find(PIPELINE.kind, request["PipelineName"]), request.get("ClientRequestToken")
        if before and token and before["_token"] == token:
            return before
        pipeline = PIPELINE.create(
            world,
            {key: value for key, value in request.items() if key not in _NOT_STORED},
            PipelineDefinition=text,
            PipelineStatus="Active",
            LastModifiedTime=world.now(),
            PipelineDisplayName=request.get("PipelineDisplayName", request["PipelineName"]),
            PipelineVersionId=1,
            _token=token,
            **created_by(request),
        )
        versions.keep(world, pipeline, request.get("PipelineVersionAliases", ()))
    return pipeline


def update_pipeline(world: World, request: Request) -> Mapping[str, Any]:
    name = name_of(world, request["PipelineName"])
    has_definition = "PipelineDefinition" in request or "PipelineDefinitionS3Location" in request
    if request.get("PipelineVersionAliases") and not has_definition:
        raise InvalidRequestError("PipelineVersionAliases can be given only with a new definition.")
    given = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")
    changes = {key: request[key] for key in given if key in request}
    if has_definition:
        changes["PipelineDefinition"] = definition_of(world, request)
        definition_checks.log_errors(name, changes["PipelineDefinition"])
    with world.store.transaction():
        before = PIPELINE.get(world, name)
        number = before["PipelineVersionId"] + has_definition
        changes.update(modified_by(request), PipelineVersionId=number, LastModifiedTime=world.now())
        after = {**before, **changes}
        world.store.put(PIPELINE.kind, name, after)
        if has_definition:
            versions.keep(world, after, request.get("PipelineVersionAliases", ()))
    return {member: after[member] for member in _ANSWERED}


def describe_pipeline(world: World, request: Request) -> Mapping[str, Any]:
    name = name_of(world, request["PipelineName"])
    pipeline = PIPELINE.get(world, name)
    return {**pipeline, **versions.described(versions.find(world, pipeline, request))}


def delete_pipeline(world: World, request: Request) -> Mapping[str, Any]:
    name = name_of(world, request["PipelineName"])
    with world.store.transaction():
        pipeline = PIPELINE.get(world, name)
        running = state.running(world, name)
        if running:
            words = f"Pipeline {pipeline['PipelineArn']} has running executions, so it cannot be deleted: "
            raise ServiceError("ConflictException", f"{words}{', '.join(running)}. Stop them first.")
        PIPELINE.remove(world, name)
        versions.forget(world, name)
        state.forget(world, name)
    return {"PipelineArn": PIPELINE.arn(world, name)}


def list_pipelines(world: World, request: Request) -> Mapping[str, Any]:
    prefix = request.get("PipelineNamePrefix", "")
    chosen = [pipeline for pipeline in PIPELINE.all(world) if pipeline["PipelineName"].startswith(prefix)]
    return PIPELINE.listing.answer(chosen, request)


def list_pipeline_versions(world: World, request: Request) -> Mapping[str, Any]:
    name = name_of(world, request["PipelineName"])
    PIPELINE.get(world, name)
    return versions.listed(world, name, request)


def update_pipeline_version(world: World, request: Request) -> Mapping[str, Any]:
    return versions.update(world, PIPELINE.get(world, name_of(world, request["PipelineArn"])), request)
