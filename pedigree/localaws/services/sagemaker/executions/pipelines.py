"""Pipelines: the resource, its names, and its definition as requests bring it.

A definition is parsed when it arrives, so one that cannot run is refused at once.
"""

from __future__ import annotations

from collections.abc import Mapping

from pedigree.language import definition, iteration
from pedigree.language.errors import LanguageError
from pedigree.language.references import dangling_references, uses
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions import definition_errors
from pedigree.localaws.services.sagemaker.executions.core import planner
from pedigree.localaws.services.sagemaker.resources.handlers import Request
from pedigree.localaws.services.sagemaker.resources.listing import Listing
from pedigree.localaws.services.sagemaker.resources.resource import Resource

_MOST_PROBLEMS = 10


class _PipelineResource(Resource):
    """Pipelines have their own words for a name that is missing or exists already."""

    def missing(self, world: World, name: str) -> ServiceError:
        return ServiceError("ResourceNotFound", f"Pipeline '{self.arn(world, name)}' does not exist.")

    def taken(self, world: World, name: str) -> ServiceError:  # noqa: ARG002  # the service names no ARN here
        unique = "Pipeline names must be unique within an AWS account and region."
        return InvalidRequestError(f"{unique} Pipeline with name ({name}) already exists.")


PIPELINE = _PipelineResource(
    "pipeline",
    "pipeline",
    "PipelineName",
    "PipelineArn",
    Listing("PipelineSummaries", "PipelineName", sorts={"CreationTime": "CreationTime", "Name": "PipelineName"}),
)


def name_of(world: World, name_or_arn: str) -> str:
    """The name of a pipeline, which a request may give as its ARN."""
    return name_or_arn.removeprefix(PIPELINE.arn(world, ""))


def definition_of(world: World, request: Request) -> str:
    """The text of the definition in a request; InvalidRequestError if it cannot run."""
    location = request.get("PipelineDefinitionS3Location")
    if (location is None) == (request.get("PipelineDefinition") is None):
        raise InvalidRequestError("Give either PipelineDefinition or PipelineDefinitionS3Location.")
    text = request["PipelineDefinition"] if location is None else _fetched(world, location)
    if words := definition_errors.refusal(text):
        raise InvalidRequestError(f"Unable to parse pipeline definition. {words}")
    try:
        parsed = definition.parse(text)
        iteration.check(parsed)
        planner.graph(parsed)
        problems = [
            f"{dangling.use.pointer}: {dangling.error}" for dangling in dangling_references(parsed, uses(parsed))
        ]
    except LanguageError as error:
        raise InvalidRequestError(f"Unable to parse pipeline definition. {error}") from None
    if problems:
        raise InvalidRequestError(f"Unable to parse pipeline definition. {'; '.join(problems[:_MOST_PROBLEMS])}")
    return text


def _fetched(world: World, location: Mapping[str, str]) -> str:
    address = f"s3://{location['Bucket']}/{location['ObjectKey']}"
    try:
        return world.objects.read(address).decode()
    except (KeyError, UnicodeDecodeError):
        raise InvalidRequestError(f"The pipeline definition at {address} cannot be read.") from None
