"""AddTags, DeleteTags and ListTags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import tags
from pedigree.localaws.services.sagemaker.resources.handlers import Request


def add_tags(world: World, request: Request) -> Mapping[str, Any]:
    arn = request["ResourceArn"]
    added = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    with world.store.transaction():
        tags.put(world, arn, {**tags.of(world, arn), **added})
    return list_tags(world, request)


def delete_tags(world: World, request: Request) -> Mapping[str, Any]:
    arn, deleted = request["ResourceArn"], request["TagKeys"]
    with world.store.transaction():
        tags.put(world, arn, {key: value for key, value in tags.of(world, arn).items() if key not in deleted})
    return {}


def list_tags(world: World, request: Request) -> Mapping[str, Any]:
    return {"Tags": tags.listed(tags.of(world, request["ResourceArn"]))}
