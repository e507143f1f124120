"""What all resources have in common: made once, described by name, listed, removed, with ARN, tags and times.

A Resource says what a kind is called in each place, and in which words SageMaker says that one is missing or there
already. Families whose members have a life of their own (jobs, endpoints, executions) build on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.store import Document, DocumentExistsError, DocumentNotFoundError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import tags
from pedigree.localaws.services.sagemaker.resources.listing import Listing
from pedigree.localaws.services.sagemaker.resources.service import Handler, Request


@dataclass(frozen=True)
class Resource:
    """A kind of resource."""

    kind: str
    called: str
    name_member: str
    arn_member: str
    listing: Listing
    arn_path: str = ""

    def arn(self, world: World, name: str) -> str:
        """The ARN of the one of that name."""
        return world.arn("sagemaker", f"{self.arn_path or self.kind}/{name}")

    def create(self, world: World, request: Request, **members: Any) -> Document:
        """Keep a new one as it was asked for, with further members; answer it."""
        name = request[self.name_member]
        body = {
            **{
                key: value for key, value in request.items() if key not in ("Tags", "ClientRequestToken", "ClientToken")
            },
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
        """The one of that name, or the service's words that there is none."""
        try:
            return world.store.get(self.kind, name)
        except DocumentNotFoundError:
            raise self.missing(world, name) from None

    def remove(self, world: World, name: str) -> None:
        """Forget one, and its tags."""
        with world.store.transaction():
            self.get(world, name)
            world.store.remove(self.kind, name)
            tags.forget(world, self.arn(world, name))

    def all(self, world: World) -> list[Document]:
        """Every one of the kind."""
        return [entry.body for entry in world.store.entries(self.kind)]

    def missing(self, world: World, name: str) -> ServiceError:
        """What the service says of one that is not there."""
        return InvalidRequestError(f'Could not find {self.called} "{self.arn(world, name)}".')

    def taken(self, world: World, name: str) -> ServiceError:
        """What the service says of a name that is given already."""
        return InvalidRequestError(f'Cannot create already existing {self.called} "{self.arn(world, name)}".')

    def describe(self, world: World, request: Request) -> Mapping[str, Any]:
        """The handler that describes one."""
        return self.get(world, request[self.name_member])

    def list(self, world: World, request: Request) -> Mapping[str, Any]:
        """The handler that lists them."""
        return self.listing.answer(self.all(world), request)

    def delete(self, world: World, request: Request) -> Mapping[str, Any]:
        """The handler that removes one."""
        self.remove(world, request[self.name_member])
        return {}


def usual(resource: Resource, operation_noun: str, plural: str, create: Handler) -> Mapping[str, Handler]:
    """The four handlers that most kinds have."""
    return {
        f"Create{operation_noun}": create,
        f"Describe{operation_noun}": resource.describe,
        f"List{plural}": resource.list,
        f"Delete{operation_noun}": resource.delete,
    }
