"""A kind of SageMaker resource: created once, described by name, listed, deleted, with an ARN, tags and times.

A Resource also knows the words in which SageMaker says that one is missing or exists already. Families with a lifecycle
of their own (jobs, endpoints, executions) build on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.store import Document, DocumentExistsError, DocumentNotFoundError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import tags
from pedigree.localaws.services.sagemaker.resources.handlers import CALLER, Request
from pedigree.localaws.services.sagemaker.resources.listing import Listing

_NOT_STORED = ("Tags", "ClientRequestToken", "ClientToken", CALLER)


@dataclass(frozen=True)
class Resource:
    """What a kind of resource is called in the store, in messages, in requests and in ARNs."""

    kind: str
    label: str
    name_member: str
    arn_member: str
    listing: Listing
    arn_path: str = ""

    def arn(self, world: World, name: str) -> str:
        return world.arn("sagemaker", f"{self.arn_path or self.kind}/{name}")

    def create(self, world: World, request: Request, **members: Any) -> Document:
        """Store a new resource: the members of its request, and further ones."""
        name = request[self.name_member]
        body = {
            **{member: value for member, value in request.items() if member not in _NOT_STORED},
            self.arn_member: self.arn(world, name),
            "CreationTime": world.now(),
            **members,
        }
        with world.store.transaction():
            try:
                world.store.add(self.kind, name, body)
            except DocumentExistsError:
                raise self.taken(world, name) from None
            tags.keep(world, body[self.arn_member], request.get("Tags"))
        return body

    def get(self, world: World, name: str) -> Document:
        try:
            return world.store.get(self.kind, name)
        except DocumentNotFoundError:
            raise self.missing(world, name) from None

    def remove(self, world: World, name: str) -> None:
        """Delete a resource and its tags."""
        with world.store.transaction():
            self.get(world, name)
            world.store.remove(self.kind, name)
            tags.forget(world, self.arn(world, name))

    def all(self, world: World) -> list[Document]:
        return [entry.body for entry in world.store.entries(self.kind)]

    def missing(self, world: World, name: str) -> ServiceError:
        """The service's error for a name that does not exist."""
        return InvalidRequestError(f'Could not find {self.label} "{self.arn(world, name)}".')

    def taken(self, world: World, name: str) -> ServiceError:
        """The service's error for a name that exists already."""
        return InvalidRequestError(f'Cannot create already existing {self.label} "{self.arn(world, name)}".')

    def describe(self, world: World, request: Request) -> Mapping[str, Any]:
        """Handle a Describe operation."""
        return self.get(world, request[self.name_member])

    def list(self, world: World, request: Request) -> Mapping[str, Any]:
        """Handle a List operation."""
        return self.listing.answer(self.all(world), request)

    def delete(self, world: World, request: Request) -> Mapping[str, Any]:
        """Handle a Delete operation."""
        self.remove(world, request[self.name_member])
        return {}
