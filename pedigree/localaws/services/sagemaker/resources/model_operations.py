"""Models, and the configurations of endpoints: immutable once they are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import registry, unsupported
from pedigree.localaws.services.sagemaker.resources.listing import Listing
from pedigree.localaws.services.sagemaker.resources.resources import Resource, usual
from pedigree.localaws.services.sagemaker.resources.service import Handler, Request

MODEL = Resource("model", "model", "ModelName", "ModelArn", Listing("Models", "ModelName"))
CONFIGURATION = Resource(
    "endpoint-config",
    "endpoint configuration",
    "EndpointConfigName",
    "EndpointConfigArn",
    Listing("EndpointConfigs", "EndpointConfigName"),
)


def _create_model(world: World, request: Request) -> Mapping[str, Any]:
    containers = [request["PrimaryContainer"]] if "PrimaryContainer" in request else request.get("Containers", [])
    if not containers or ("PrimaryContainer" in request and request.get("Containers")):
        raise InvalidRequestError("You must specify either PrimaryContainer or Containers, and not both.")
    for container in containers:
        if "ModelPackageName" in container:
            package = registry.PACKAGE.get(world, registry.name_of(world, container["ModelPackageName"]))
            unsupported.refuse("CreateModel", package.get("InferenceSpecification"))
        elif "Image" not in container:
            raise InvalidRequestError("A container definition needs an Image or a ModelPackageName.")
    return MODEL.create(world, request)


def _create_configuration(world: World, request: Request) -> Mapping[str, Any]:
    variants = request["ProductionVariants"]
    names = [one["VariantName"] for one in variants]
    if len(set(names)) < len(names):
        raise InvalidRequestError("Production variant names must be unique within an endpoint configuration.")
    for variant in variants:
        if "ModelName" not in variant:
            raise InvalidRequestError(f"Production variant {variant['VariantName']} needs a ModelName.")
        MODEL.get(world, variant["ModelName"])
        if not variant.get("ServerlessConfig") and "InstanceType" not in variant:
            raise InvalidRequestError(f"Production variant {variant['VariantName']} needs an InstanceType.")
    return CONFIGURATION.create(world, request)


HANDLERS: Mapping[str, Handler] = {
    **usual(MODEL, "Model", "Models", _create_model),
    **usual(CONFIGURATION, "EndpointConfig", "EndpointConfigs", _create_configuration),
}
