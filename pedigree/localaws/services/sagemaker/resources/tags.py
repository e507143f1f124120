"""The tags of resources, by ARN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.kernel.world import World

KIND = "tags"
_MOST = 50


def keep(world: World, arn: str, tags: Sequence[Mapping[str, str]] | None) -> None:
    """Store the tags of a new resource."""
    if tags:
        put(world, arn, {tag["Key"]: tag["Value"] for tag in tags})


def put(world: World, arn: str, tags: Mapping[str, str]) -> None:
    """Replace the tags of a resource."""
    if len(tags) > _MOST:
        raise InvalidRequestError(f"The number of tags exceeds the limit of {_MOST}")
    world.store.put(KIND, arn, tags)


def forget(world: World, arn: str) -> None:
    """Delete the tags of a resource."""
    if world.store.find(KIND, arn) is not None:
        world.store.remove(KIND, arn)


def of(world: World, arn: str) -> dict[str, str]:
    """The tags of a resource."""
    return dict(world.store.find(KIND, arn) or {})


def listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in the form of requests and answers."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
