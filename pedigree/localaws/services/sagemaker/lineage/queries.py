"""Walks through lineage: what an entity comes from, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pedigree.localaws.services.sagemaker.lineage.entities import Association, Entity, LineageGraph
from pedigree.localaws.services.sagemaker.resources.listing import in_time

_DEEPEST = 10


def reached(graph: LineageGraph, start: str, direction: str, depth: int) -> tuple[list[str], list[Association]]:
    """The entities that are connected with one, the nearest first, and the associations that led to them."""
    seen, edges, level = {start: None}, dict[tuple[str, str], Association](), [start]
    for _ in range(min(depth, _DEEPEST)):
        following = list[str]()
        for arn in level:
            for edge in graph.around(arn):
                other = edge.destination if edge.source == arn else edge.source
                if _LEADS[direction](edge, arn):
                    edges[edge.source, edge.destination] = edge
                    following += [] if other in seen else [other]
                    seen[other] = None
        level = following
    return [arn for arn in seen if arn != start], list(edges.values())


def fits(entity: Entity, filters: Mapping[str, Any]) -> bool:
    """Whether an entity passes the filters of a query."""
    types, kinds = filters.get("Types"), filters.get("LineageTypes")
    properties = entity.document.get("Properties") or {}
    if (types and entity.type not in types) or (kinds and entity.kind.name not in kinds):
        return False
    if any(properties.get(name) != value for name, value in (filters.get("Properties") or {}).items()):
        return False
    members = (("Created", "CreationTime"), ("Modified", "LastModifiedTime"))
    return all(in_time(entity.document, filters, prefix, member) for prefix, member in members)


_LEADS: Mapping[str, Callable[[Association, str], bool]] = {
    "Both": lambda _edge, _arn: True,
    "Ascendants": lambda edge, arn: edge.destination == arn,
    "Descendants": lambda edge, arn: edge.source == arn,
}
