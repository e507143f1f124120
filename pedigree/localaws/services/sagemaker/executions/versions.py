"""The versions of a pipeline: their definitions, and the aliases of each version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources.handlers import Request
from pedigree.localaws.services.sagemaker.resources.listing import Listing

VERSION = "pipeline-version"
_ALIASES = "PipelineVersionAliases"
_DESCRIBED = ("PipelineVersionDisplayName", "PipelineVersionDescription")
_MOST_ALIASES = 10
_LISTING = Listing("PipelineVersionSummaries", "_number", sorts={"CreationTime": "_number"})


def keep(world: World, pipeline: Document, aliases: Iterable[str]) -> None:
    """Store the present definition of a pipeline as its newest version."""
    number = pipeline["PipelineVersionId"]
    version = {
        "PipelineName": pipeline["PipelineName"],
        "PipelineArn": pipeline["PipelineArn"],
        "PipelineVersionId": number,
        "PipelineDefinition": pipeline["PipelineDefinition"],
        "CreationTime": pipeline["LastModifiedTime"],
        "_number": f"{number:09d}",
    }
    world.store.put(VERSION, f"{pipeline['PipelineName']}/{number}", _named(world, version, aliases, ()))


def find(world: World, pipeline: Document, request: Request) -> Document:
    """The version of a pipeline that a request names by its number or an alias; the newest if it names none."""
    number, alias = request.get("PipelineVersionId"), request.get("PipelineVersionAlias")
    if number is not None and alias is not None:
        raise InvalidRequestError("Give either PipelineVersionId or PipelineVersionAlias, and not both.")
    if alias is not None:
        version = next(
            (candidate for candidate in of(world, pipeline["PipelineName"]) if alias in candidate.get(_ALIASES, ())),
            None,
        )
    else:
        number = pipeline["PipelineVersionId"] if number is None else number
        version = world.store.find(VERSION, f"{pipeline['PipelineName']}/{number}")
    if version is None:
        meant = f"version {number}" if alias is None else f"version with the alias {alias}"
        raise ServiceError("ResourceNotFound", f"Pipeline {meant} of {pipeline['PipelineArn']} does not exist.")
    return version


def described(version: Document) -> Mapping[str, Any]:
    """The members of a version in the description of its pipeline."""
    return {member: version[member] for member in ("PipelineDefinition", _ALIASES, *_DESCRIBED) if version.get(member)}


def of(world: World, pipeline: str) -> list[Document]:
    """All versions of a pipeline."""
    versions = [entry.body for entry in world.store.entries(VERSION, f"{pipeline}/")]
    return [version for version in versions if version["PipelineName"] == pipeline]


def forget(world: World, pipeline: str) -> None:
    """Delete the versions of a pipeline."""
    for version in of(world, pipeline):
        world.store.remove(VERSION, f"{pipeline}/{version['PipelineVersionId']}")


def listed(world: World, pipeline: str, request: Request) -> Mapping[str, Any]:
    """The page of a pipeline's versions that a request asks for."""
    return _LISTING.answer(of(world, pipeline), request)


def update(world: World, pipeline: Document, request: Request) -> Mapping[str, Any]:
    """Change the description or the aliases of a version."""
    changes = request.get("PipelineVersionAliasOperations", {})
    with world.store.transaction():
        version = find(world, pipeline, request)
        changed = {**version, **{member: request[member] for member in _DESCRIBED if member in request}}
        renamed = _named(world, changed, changes.get("Add", ()), changes.get("Remove", ()))
        world.store.put(VERSION, f"{version['PipelineName']}/{version['PipelineVersionId']}", renamed)
    return {member: version[member] for member in ("PipelineArn", "PipelineVersionId")}


def _named(world: World, version: Document, added: Iterable[str], removed: Iterable[str]) -> Document:
    """A version with aliases added and removed; only one version of a pipeline can have an alias."""
    added, removed = list(dict.fromkeys(added)), set(removed)
    taken = {
        alias: other["PipelineVersionId"]
        for other in of(world, version["PipelineName"])
        if other["PipelineVersionId"] != version["PipelineVersionId"]
        for alias in other.get(_ALIASES, ())
    }
    for alias in added:
        if alias in removed:
            raise InvalidRequestError(f"The alias {alias} cannot be both added and removed.")
        if alias.isdecimal():
            raise InvalidRequestError(f"The alias {alias} cannot consist of numbers only.")
        if alias in taken:
            words = f"The alias {alias} is version {taken[alias]}'s; remove it from that version first."
            raise ServiceError("ConflictException", words)
    remaining = [alias for alias in version.get(_ALIASES, ()) if alias not in removed and alias not in added]
    if len(remaining) + len(added) > _MOST_ALIASES:
        raise InvalidRequestError(f"A pipeline version can have at most {_MOST_ALIASES} aliases.")
    return {**version, _ALIASES: [*remaining, *added]}
