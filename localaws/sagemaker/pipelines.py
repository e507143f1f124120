"""Pipelines and their versions. A definition is read when it comes, so one that cannot run is refused at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from language import definition
from language.errors import LanguageError
from language.references import unresolved
from localaws.executions import planner
from localaws.protocol.errors import InvalidRequestError, ServiceError
from localaws.sagemaker import soundness
from localaws.sagemaker.listing import Listing
from localaws.sagemaker.resources import Resource
from localaws.sagemaker.service import Handler, Request
from localaws.store import Document
from localaws.world import World

VERSION = "pipeline-version"
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
_VERSIONS = Listing("PipelineVersionSummaries", "_number", sorts={"CreationTime": "_number"})


def name_of(world: World, name_or_arn: str) -> str:
    """A pipeline's name, which callers may give as its ARN."""
    return name_or_arn.removeprefix(PIPELINE.arn(world, ""))


def _create(world: World, request: Request) -> Mapping[str, Any]:
    text = _definition(world, request)
    soundness.tell(request["PipelineName"], text)
    with world.store.together():
        before, token = world.store.find(PIPELINE.kind, request["PipelineName"]), request.get("ClientRequestToken")
        if before and token and before["_token"] == token:
            return before
        pipeline = PIPELINE.create(
            world,
            {key: value for key, value in request.items() if key != "PipelineDefinitionS3Location"},
            PipelineDefinition=text,
            PipelineStatus="Active",
            LastModifiedTime=world.now(),
            PipelineDisplayName=request.get("PipelineDisplayName", request["PipelineName"]),
            PipelineVersionId=1,
            _token=token,
        )
        _keep_version(world, pipeline)
    return pipeline


def _update(world: World, request: Request) -> Mapping[str, Any]:
    name = name_of(world, request["PipelineName"])
    has_definition = "PipelineDefinition" in request or "PipelineDefinitionS3Location" in request
    given = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")
    changes = {key: request[key] for key in given if key in request}
    if has_definition:
        changes["PipelineDefinition"] = _definition(world, request)
        soundness.tell(name, changes["PipelineDefinition"])
    with world.store.together():
        before = PIPELINE.get(world, name)
        number = before["PipelineVersionId"] + has_definition
        after = {**before, **changes, "PipelineVersionId": number, "LastModifiedTime": world.now()}
        world.store.put(PIPELINE.kind, name, after)
        if has_definition:
            _keep_version(world, after)
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


def _keep_version(world: World, pipeline: Document) -> None:
    number = pipeline["PipelineVersionId"]
    version = {
        "PipelineName": pipeline["PipelineName"],
        "PipelineArn": pipeline["PipelineArn"],
        "PipelineVersionId": number,
        "PipelineDefinition": pipeline["PipelineDefinition"],
        "CreationTime": pipeline["LastModifiedTime"],
        "_number": f"{number:09d}",
    }
    world.store.put(VERSION, f"{pipeline['PipelineName']}/{number}", version)


def version(world: World, name: str, number: int | None) -> Document:
    """A version of a pipeline, the newest if none is named."""
    pipeline = PIPELINE.get(world, name)
    found = world.store.find(VERSION, f"{name}/{number or pipeline['PipelineVersionId']}")
    if found is None:
        raise ServiceError(
            "ResourceNotFound", f"Pipeline version {number} of {pipeline['PipelineArn']} does not exist."
        )
    return found


def _describe(world: World, request: Request) -> Mapping[str, Any]:
    name = name_of(world, request["PipelineName"])
    chosen = version(world, name, request.get("PipelineVersionId"))
    return {**PIPELINE.get(world, name), "PipelineDefinition": chosen["PipelineDefinition"]}


def _delete(world: World, request: Request) -> Mapping[str, Any]:
    name = name_of(world, request["PipelineName"])
    with world.store.together():
        PIPELINE.remove(world, name)
        for entry in world.store.entries(VERSION):
            if entry.body["PipelineName"] == name:
                world.store.remove(VERSION, entry.name)
    return {"PipelineArn": PIPELINE.arn(world, name)}


def _list(world: World, request: Request) -> Mapping[str, Any]:
    prefix = request.get("PipelineNamePrefix", "")
    chosen = [one for one in PIPELINE.all(world) if one["PipelineName"].startswith(prefix)]
    return PIPELINE.listing.answer(chosen, request)


def _list_versions(world: World, request: Request) -> Mapping[str, Any]:
    name = name_of(world, request["PipelineName"])
    PIPELINE.get(world, name)
    entries = world.store.entries(VERSION)
    return _VERSIONS.answer([entry.body for entry in entries if entry.body["PipelineName"] == name], request)


HANDLERS: Mapping[str, Handler] = {
    "CreatePipeline": _create,
    "UpdatePipeline": _update,
    "DescribePipeline": _describe,
    "DeletePipeline": _delete,
    "ListPipelines": _list,
    "ListPipelineVersions": _list_versions,
}
