"""Tags: on whatever has an ARN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources.service import Handler, Request

KIND = "tags"
_MOST = 50


def keep(world: World, arn: str, tags: Sequence[Mapping[str, str]] | None) -> None:
    """Give a new resource its tags."""
    if tags:
        _store(world, arn, {one["Key"]: one["Value"] for one in tags})


def forget(world: World, arn: str) -> None:
    """Forget the tags of what is removed."""
    if world.store.find(KIND, arn) is not None:
        world.store.remove(KIND, arn)


def of(world: World, arn: str) -> dict[str, str]:
    """The tags of a resource."""
    return dict(world.store.find(KIND, arn) or {})


def _store(world: World, arn: str, tags: Mapping[str, str]) -> None:
    if len(tags) > _MOST:
        raise InvalidRequestError(f"The number of tags exceeds the limit of {_MOST}")
    world.store.put(KIND, arn, tags)


def _add(world: World, request: Request) -> Mapping[str, Any]:
    arn = request["ResourceArn"]
    with world.store.transaction():
        _store(world, arn, {**of(world, arn), **{one["Key"]: one["Value"] for one in request["Tags"]}})
    return {"Tags": listed(of(world, arn))}


def _delete(world: World, request: Request) -> Mapping[str, Any]:
    arn = request["ResourceArn"]
    with world.store.transaction():
        _store(world, arn, {key: value for key, value in of(world, arn).items() if key not in request["TagKeys"]})
    return {}


def _list(world: World, request: Request) -> Mapping[str, Any]:
    return {"Tags": listed(of(world, request["ResourceArn"]))}


def listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as requests and answers write them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


HANDLERS: Mapping[str, Handler] = {"AddTags": _add, "DeleteTags": _delete, "ListTags": _list}
