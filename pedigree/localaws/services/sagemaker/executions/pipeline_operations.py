"""Pipelines and their versions. A definition is read when it comes, so one that cannot run is refused at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.language import definition
from pedigree.language.errors import LanguageError
from pedigree.language.references import unresolved
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions import planner, soundness, state, versions
from pedigree.localaws.services.sagemaker.resources.listing import Listing
from pedigree.localaws.services.sagemaker.resources.resources import Resource
from pedigree.localaws.services.sagemaker.resources.service import Handler, Request

_NOT_KEPT = ("PipelineDefinitionS3Location", "PipelineVersionAliases")
_RESULT = ("PipelineArn", "PipelineVersionId")


class _Pipelines(Resource):
    """Pipelines say in words of their own that one is missing or there already."""

    def missing(self, world: World, name: str) -> ServiceError:
        return ServiceError("ResourceNotFound", f"Pipeline '{self.arn(world, name)}' does not exist.")

    def taken(self, world: World, name: str) -> ServiceError:  # noqa: ARG002  # the service names no ARN here
        unique = "Pipeline names must be unique within an AWS account and region."
        return InvalidRequestError(f"{unique} Pipeline with name ({name}) already exists.")


PIPELINE = _Pipelines(
    "pipeline",
    "pipeline",
    "PipelineName",
    "PipelineArn",
    Listing("PipelineSummaries", "PipelineName", sorts={"CreationTime": "CreationTime", "Name": "PipelineName"}),
)


def name_of(world: World, name_or_arn: str) -> str:
    """A pipeline's name, which callers may give as its ARN."""
    return name_or_arn.removeprefix(PIPELINE.arn(world, ""))


def _create(world: World, request: Request) -> Mapping[str, Any]:
    text = _definition(world, request)
    soundness.tell(request["PipelineName"], text)
    with world.store.transaction():
        before, token = world.store.find(PIPELINE.kind, request["PipelineName"]), request.get("ClientRequestToken")
        if before and token and before["_token"] == token:
            return before
        pipeline = PIPELINE.create(
            world,
            {key: value for key, value in request.items() if key not in _NOT_KEPT},
            PipelineDefinition=text,
            PipelineStatus="Active",
            LastModifiedTime=world.now(),
            PipelineDisplayName=request.get("PipelineDisplayName", request["PipelineName"]),
            PipelineVersionId=1,
            _token=token,
        )
        versions.keep(world, pipeline, request.get("PipelineVersionAliases", ()))
    return pipeline


def _update(world: World, request: Request) -> Mapping[str, Any]:
    name = name_of(world, request["PipelineName"])
    has_definition = "PipelineDefinition" in request or "PipelineDefinitionS3Location" in request
    if request.get("PipelineVersionAliases") and not has_definition:
        raise InvalidRequestError("PipelineVersionAliases can be given only with a new definition.")
    given = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")
    changes = {key: request[key] for key in given if key in request}
    if has_definition:
        changes["PipelineDefinition"] = _definition(world, request)
        soundness.tell(name, changes["PipelineDefinition"])
    with world.store.transaction():
        before = PIPELINE.get(world, name)
        number = before["PipelineVersionId"] + has_definition
        after = {**before, **changes, "PipelineVersionId": number, "LastModifiedTime": world.now()}
        world.store.put(PIPELINE.kind, name, after)
        if has_definition:
            versions.keep(world, after, request.get("PipelineVersionAliases", ()))
    return {member: after[member] for member in _RESULT}


def _definition(world: World, request: Request) -> str:
    """The text of the definition that a request brings, if it is one that can run."""
    location = request.get("PipelineDefinitionS3Location")
    if (location is None) == (request.get("PipelineDefinition") is None):
        raise InvalidRequestError("Give either PipelineDefinition or PipelineDefinitionS3Location.")
    text = request["PipelineDefinition"] if location is None else _fetched(world, location)
    try:
        read = definition.parse(text)
        planner.graph(read)
        problems = [f"{one.use.pointer}: {one.cause}" for one in unresolved(read)]
    except LanguageError as error:
        raise InvalidRequestError(f"Unable to parse pipeline definition. {error}") from None
    if problems:
        raise InvalidRequestError(f"Unable to parse pipeline definition. {'; '.join(problems[:10])}")
    return text


def _fetched(world: World, location: Mapping[str, str]) -> str:
    address = f"s3://{location['Bucket']}/{location['ObjectKey']}"
    try:
        return world.objects.read(address).decode()
    except (KeyError, UnicodeDecodeError):
        raise InvalidRequestError(f"The pipeline definition at {address} cannot be read.") from None


def _describe(world: World, request: Request) -> Mapping[str, Any]:
    name = name_of(world, request["PipelineName"])
    pipeline = PIPELINE.get(world, name)
    return {**pipeline, **versions.described(versions.find(world, pipeline, request))}


def _delete(world: World, request: Request) -> Mapping[str, Any]:
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


def _list(world: World, request: Request) -> Mapping[str, Any]:
    prefix = request.get("PipelineNamePrefix", "")
    chosen = [one for one in PIPELINE.all(world) if one["PipelineName"].startswith(prefix)]
    return PIPELINE.listing.answer(chosen, request)


def _list_versions(world: World, request: Request) -> Mapping[str, Any]:
    name = name_of(world, request["PipelineName"])
    PIPELINE.get(world, name)
    return versions.listed(world, name, request)


def _update_version(world: World, request: Request) -> Mapping[str, Any]:
    return versions.update(world, PIPELINE.get(world, name_of(world, request["PipelineArn"])), request)


HANDLERS: Mapping[str, Handler] = {
    "CreatePipeline": _create,
    "UpdatePipeline": _update,
    "DescribePipeline": _describe,
    "DeletePipeline": _delete,
    "ListPipelines": _list,
    "ListPipelineVersions": _list_versions,
    "UpdatePipelineVersion": _update_version,
}
