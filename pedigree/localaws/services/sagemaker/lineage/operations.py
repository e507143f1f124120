"""The operations of lineage: artifacts, actions and contexts, their associations, queries, and trial components."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.lineage.entities import (
    ACTION,
    ARTIFACT,
    COMPONENT,
    CONTEXT,
    Association,
    Entity,
    EntityKind,
    LineageGraph,
)
from pedigree.localaws.services.sagemaker.lineage.graph import ASSOCIATION, STORED, find, lineage
from pedigree.localaws.services.sagemaker.lineage.queries import fits, reached
from pedigree.localaws.services.sagemaker.resources import tags
from pedigree.localaws.services.sagemaker.resources.handlers import CALLER, Request, created_by, modified_by
from pedigree.localaws.services.sagemaker.resources.lineage_arns import artifact_arn, entity_arn
from pedigree.localaws.services.sagemaker.resources.listing import Listing

_MOST_VERTICES = 50
_ASSOCIATIONS = Listing("AssociationSummaries", "SourceName")
_VERTICES = Listing("Vertices", "", ascending=True, page=_MOST_VERTICES)
_COMPONENTS = Listing("TrialComponentSummaries", "TrialComponentName")


def _create(kind: EntityKind, world: World, request: Request) -> Mapping[str, Any]:
    address = str(request["Source"]["SourceUri"])
    name = str(request.get(kind.name_member) or "")
    arn = artifact_arn(world, address) if kind is ARTIFACT else entity_arn(world, kind.arn_path, name)
    members = {member: value for member, value in request.items() if member not in ("Tags", CALLER)}
    times = {"CreationTime": world.now(), "LastModifiedTime": world.now()}
    body: dict[str, Any] = {**members, kind.arn_member: arn, **times, **created_by(request)}
    with world.store.transaction():
        if lineage(world).entities.get(arn):
            raise InvalidRequestError(f"{kind.name} {arn} already exists.")
        world.store.add(STORED[kind], arn, body)
        tags.keep(world, arn, request.get("Tags"))
    return {kind.arn_member: arn}


def _describe(kind: EntityKind, world: World, request: Request) -> Document:
    return _found(kind, world, request).document


def _list(kind: EntityKind, world: World, request: Request) -> Mapping[str, Any]:
    chosen = [
        entity.document
        for entity in lineage(world).of_kind(kind)
        if request.get("SourceUri", entity.source) == entity.source
        and request.get(kind.type_member, entity.type) == entity.type
    ]
    return Listing(f"{kind.name}Summaries", kind.name_member).answer(chosen, request)


def _update(kind: EntityKind, world: World, request: Request) -> Mapping[str, Any]:
    """Change an entity of a client; one that SageMaker keeps becomes a client's by the change."""
    before = _found(kind, world, request)
    removed = set(request.get("PropertiesToRemove", ()))
    properties = {**before.document.get("Properties", {}), **request.get("Properties", {})}
    after: dict[str, Any] = {
        **before.document,
        **{member: request[member] for member in ("Description", "Status", "ArtifactName") if member in request},
        "Properties": {name: value for name, value in properties.items() if name not in removed},
        "LastModifiedTime": world.now(),
        **modified_by(request),
    }
    world.store.put(STORED[kind], before.arn, after)
    return {kind.arn_member: before.arn}


def _delete(kind: EntityKind, world: World, request: Request) -> Mapping[str, Any]:
    with world.store.transaction():
        arn = _found(kind, world, request).arn
        if world.store.find(STORED[kind], arn) is None:
            raise InvalidRequestError(f"{kind.name} {arn} was created by SageMaker, and cannot be deleted.")
        if any(world.store.find(ASSOCIATION, _pair(edge)) for edge in lineage(world).around(arn)):
            raise InvalidRequestError(f"{kind.name} {arn} cannot be deleted while it has associations.")
        world.store.remove(STORED[kind], arn)
        tags.forget(world, arn)
    return {kind.arn_member: arn}


def add_association(world: World, request: Request) -> Mapping[str, Any]:
    ends = {member: request[member] for member in ("SourceArn", "DestinationArn")}
    with world.store.transaction():
        graph = lineage(world)
        for arn in ends.values():
            if arn not in graph.entities:
                raise _missing(arn)
        edge = Association(ends["SourceArn"], ends["DestinationArn"], request.get("AssociationType", ""))
        if (edge.source, edge.destination) in graph.associations:
            raise InvalidRequestError(f"An association from {edge.source} to {edge.destination} already exists.")
        kind = {"AssociationType": edge.type} if edge.type else {}
        body = {**ends, **kind, "CreationTime": world.now(), "CreatedBy": created_by(request)["CreatedBy"]}
        world.store.add(ASSOCIATION, _pair(edge), body)
    return ends


def delete_association(world: World, request: Request) -> Mapping[str, Any]:
    ends = {member: request[member] for member in ("SourceArn", "DestinationArn")}
    pair = " ".join(ends.values())
    with world.store.transaction():
        if world.store.find(ASSOCIATION, pair) is None:
            raise _missing(pair)
        world.store.remove(ASSOCIATION, pair)
    return ends


def list_associations(world: World, request: Request) -> Mapping[str, Any]:
    graph = lineage(world)
    summaries = (_summary(graph, edge) for edge in graph.associations.values())
    members = ("SourceArn", "DestinationArn", "SourceType", "DestinationType", "AssociationType")
    wanted = {member: request[member] for member in members if member in request}
    chosen = [summary for summary in summaries if all(summary.get(name) == value for name, value in wanted.items())]
    return _ASSOCIATIONS.answer(chosen, request)


def query_lineage(world: World, request: Request) -> Mapping[str, Any]:
    graph, starts = lineage(world), request.get("StartArns", [])
    if len(starts) != 1:
        raise InvalidRequestError("QueryLineage needs one ARN in StartArns.")
    if starts[0] not in graph.entities:
        raise _missing(starts[0])
    arns, edges = reached(graph, starts[0], request.get("Direction", "Both"), request.get("MaxDepth", 10))
    found = [graph.entities[arn] for arn in arns if arn in graph.entities]
    vertices = [
        {"Arn": entity.arn, "Type": entity.type, "LineageType": entity.kind.name}
        for entity in found
        if fits(entity, request.get("Filters") or {})
    ]
    answer = _VERTICES.answer(vertices, request)
    if request.get("IncludeEdges"):
        answer["Edges"] = [_edge(edge) for edge in edges]
    return answer


def list_trial_components(world: World, request: Request) -> Mapping[str, Any]:
    wanted = request.get("SourceArn")
    chosen = [
        {**entity.document, "TrialComponentSource": entity.document["Source"]}
        for entity in lineage(world).of_kind(COMPONENT)
        if wanted in (None, entity.source)
    ]
    return _COMPONENTS.answer(chosen, request)


def _found(kind: EntityKind, world: World, request: Request) -> Entity:
    given = str(request.get(kind.arn_member) or request.get(kind.name_member) or _address(world, request))
    if entity := find(lineage(world), kind, given):
        return entity
    raise _missing(given)


def _address(world: World, request: Request) -> str:
    """The ARN of an artifact that is named by its source."""
    return artifact_arn(world, str((request.get("Source") or {}).get("SourceUri", "")))


def _pair(edge: Association) -> str:
    return f"{edge.source} {edge.destination}"


def _edge(edge: Association) -> dict[str, Any]:
    kind = {"AssociationType": edge.type} if edge.type else {}
    return {"SourceArn": edge.source, "DestinationArn": edge.destination, **kind}


def _summary(graph: LineageGraph, edge: Association) -> dict[str, Any]:
    ends: dict[str, Any] = {}
    for end, arn in (("Source", edge.source), ("Destination", edge.destination)):
        if entity := graph.entities.get(arn):
            ends[f"{end}Type"] = f"SageMaker{entity.type}" if entity.kind is COMPONENT else entity.type
            ends |= {f"{end}Name": entity.name} if entity.name else {}
    return {**_edge(edge), **ends, "CreationTime": edge.created, "CreatedBy": edge.created_by}


def _missing(arn: str) -> ServiceError:
    return ServiceError("ResourceNotFound", f"Lineage entity {arn} does not exist.")


def _operations(kind: EntityKind) -> Iterable[Callable[[World, Request], Mapping[str, Any]]]:
    return (partial(operation, kind) for operation in (_create, _describe, _list, _update, _delete))


create_artifact, describe_artifact, list_artifacts, update_artifact, delete_artifact = _operations(ARTIFACT)
create_action, describe_action, list_actions, update_action, delete_action = _operations(ACTION)
create_context, describe_context, list_contexts, update_context, delete_context = _operations(CONTEXT)
describe_trial_component = partial(_describe, COMPONENT)
