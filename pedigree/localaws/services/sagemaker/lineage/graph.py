"""The whole lineage of a folder's SageMaker: what it keeps by itself, and what clients have created."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.language.pointers import entries
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.endpoints.resource import ENDPOINT
from pedigree.localaws.services.sagemaker.jobs.resource import job_resource
from pedigree.localaws.services.sagemaker.lineage import automatic
from pedigree.localaws.services.sagemaker.lineage.entities import (
    ACTION,
    ARTIFACT,
    CONTEXT,
    Association,
    Entity,
    EntityKind,
    LineageGraph,
)
from pedigree.localaws.services.sagemaker.resources import registry
from pedigree.localaws.services.sagemaker.resources.model_containers import model_containers
from pedigree.localaws.services.sagemaker.resources.models import ENDPOINT_CONFIG, MODEL

STORED = {kind: f"lineage-{kind.arn_path}" for kind in (ARTIFACT, ACTION, CONTEXT)}
"""The kinds of documents in the store that clients have created."""
ASSOCIATION = "lineage-association"


def lineage(world: World) -> LineageGraph:
    """All that is known, the clients' own first: an artifact of theirs stands for its address."""
    graph = LineageGraph()
    for item in (*_created(world), *_automatic(world)):
        graph.add(item)
    return graph


def _created(world: World) -> Iterator[Entity | Association]:
    for kind, stored in STORED.items():
        yield from (Entity(kind, entry.body) for entry in world.store.entries(stored))
    for entry in world.store.entries(ASSOCIATION):
        body = entry.body
        yield Association(
            *(body["SourceArn"], body["DestinationArn"], body.get("AssociationType", "")),
            created=body["CreationTime"],
            created_by=body.get("CreatedBy", {}),
        )


def _automatic(world: World) -> Iterator[Entity | Association]:
    for form in automatic.JOBS:
        for job in job_resource(form.job.removesuffix("Job")).all(world):
            yield from form.of(job, world)
    for package in registry.PACKAGE.all(world):
        group = registry.GROUP.arn(world, str(package.get("ModelPackageGroupName", "")))
        yield from automatic.of_package(package, group, world)
    for endpoint in ENDPOINT.all(world):
        models = list(_models(world, endpoint))
        containers = (each for model in models for each in _containers(world, model))
        yield from automatic.of_endpoint(endpoint, containers, _packages(world, models), world)


def _models(world: World, endpoint: Document) -> Iterator[Document]:
    """The models of an endpoint, as far as they are still there."""
    config = world.store.find(ENDPOINT_CONFIG.kind, str(endpoint.get("EndpointConfigName"))) or {}
    for _, variant in entries(config.get("ProductionVariants")):
        if model := world.store.find(MODEL.kind, str(variant.get("ModelName"))):
            yield model


def _containers(world: World, model: Document) -> Iterator[Mapping[str, Any]]:
    try:
        yield from model_containers(world, model).values()
    except ServiceError:
        return  # its package was deleted


def _packages(world: World, models: list[Document]) -> Iterator[str]:
    for model in models:
        for container in (model.get("PrimaryContainer") or {}, *model.get("Containers", ())):
            if name := container.get("ModelPackageName"):
                yield registry.PACKAGE.arn(world, registry.name_of(world, name))


def find(graph: LineageGraph, kind: EntityKind, name_or_arn: str) -> Entity | None:
    """An entity by its name or its ARN."""
    if entity := graph.entities.get(name_or_arn):
        return entity if entity.kind is kind else None
    return next((entity for entity in graph.of_kind(kind) if entity.name == name_or_arn), None)
