"""The operations of models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.language.shapes import service
from pedigree.localaws.http.protocol.serializer import shaped
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import events, model_access, model_containers, tags
from pedigree.localaws.services.sagemaker.resources.handlers import Request
from pedigree.localaws.services.sagemaker.resources.models import MODEL
from pedigree.localaws.services.sagemaker.resources.role_access import RoleAccess


@dataclass(frozen=True)
class ModelOperations:
    """Models, whose data is read with their roles."""

    roles: RoleAccess

    describe_model = MODEL.describe
    list_models = MODEL.list

    def create_model(self, world: World, request: Request) -> Mapping[str, Any]:
        model_containers.check(world, request)
        model_access.check(world, self.roles, request)
        model = MODEL.create(world, request)
        _changed(world, model)
        return model

    def delete_model(self, world: World, request: Request) -> Mapping[str, Any]:
        with world.store.transaction():
            _changed(world, MODEL.get(world, request["ModelName"]))
            MODEL.remove(world, request["ModelName"])
        return {}


def _changed(world: World, model: Document) -> None:
    """Publish the event for a model that was created or deleted."""
    shape = service().operation_model("DescribeModel").output_shape
    detail = {**shaped(shape, model, events.milliseconds), "Tags": tags.of(world, model["ModelArn"])}
    events.publish(world, "SageMaker Model State Change", [model["ModelArn"]], detail)
