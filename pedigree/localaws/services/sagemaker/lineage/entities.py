"""Entities of lineage, which have an ARN and a type, and the associations between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pedigree.localaws.kernel.store import Document


@dataclass(frozen=True)
class EntityKind:
    """What a kind of entity is called in requests, answers and ARNs."""

    name: str
    arn_path: str

    @property
    def arn_member(self) -> str:
        return f"{self.name}Arn"

    @property
    def name_member(self) -> str:
        return f"{self.name}Name"

    @property
    def type_member(self) -> str:
        return f"{self.name}Type"


ARTIFACT = EntityKind("Artifact", "artifact")
ACTION = EntityKind("Action", "action")
CONTEXT = EntityKind("Context", "context")
COMPONENT = EntityKind("TrialComponent", "experiment-trial-component")


@dataclass(frozen=True)
class Entity:
    """An entity, as its Describe operation answers."""

    kind: EntityKind
    document: Document

    @property
    def arn(self) -> str:
        return str(self.document[self.kind.arn_member])

    @property
    def name(self) -> str:
        return str(self.document.get(self.kind.name_member, ""))

    @property
    def type(self) -> str:
        """Its own type; a trial component has that of its job."""
        if self.kind is COMPONENT:
            return str(self.document["Source"]["SourceType"]).removeprefix("SageMaker")
        return str(self.document.get(self.kind.type_member, ""))

    @property
    def source(self) -> str:
        """The address of what it stands for."""
        source = self.document.get("Source") or {}
        return str(source.get("SourceUri") or source.get("SourceArn") or "")


@dataclass(frozen=True)
class Association:
    """A directed edge between two entities, by their ARNs."""

    source: str
    destination: str
    type: str
    created: Any = None
    created_by: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class LineageGraph:
    """All entities and associations, each ARN and each pair once: what is there first, stays."""

    entities: dict[str, Entity] = field(default_factory=dict)
    associations: dict[tuple[str, str], Association] = field(default_factory=dict)
    _around: dict[str, list[Association]] = field(default_factory=dict)

    def add(self, item: Entity | Association) -> None:
        if isinstance(item, Entity):
            self.entities.setdefault(item.arn, item)
        elif (item.source, item.destination) not in self.associations:
            self.associations[item.source, item.destination] = item
            for arn in {item.source, item.destination}:
                self._around.setdefault(arn, []).append(item)

    def of_kind(self, kind: EntityKind) -> Iterator[Entity]:
        return (entity for entity in self.entities.values() if entity.kind is kind)

    def around(self, arn: str) -> list[Association]:
        """The associations from and to an entity."""
        return self._around.get(arn, [])
