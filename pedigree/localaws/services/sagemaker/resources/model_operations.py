"""The operations of models and endpoint configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import model_containers
from pedigree.localaws.services.sagemaker.resources.handlers import Request
from pedigree.localaws.services.sagemaker.resources.models import ENDPOINT_CONFIG, MODEL


def create_model(world: World, request: Request) -> Mapping[str, Any]:
    model_containers.check(world, request)
    return MODEL.create(world, request)


describe_model = MODEL.describe
list_models = MODEL.list
delete_model = MODEL.delete


def create_endpoint_config(world: World, request: Request) -> Mapping[str, Any]:
    variants = request["ProductionVariants"]
    if len({variant["VariantName"] for variant in variants}) < len(variants):
        raise InvalidRequestError("Production variant names must be unique within an endpoint configuration.")
    for variant in variants:
        if "ModelName" not in variant:
            raise InvalidRequestError(f"Production variant {variant['VariantName']} needs a ModelName.")
        MODEL.get(world, variant["ModelName"])
        if not variant.get("ServerlessConfig") and "InstanceType" not in variant:
            raise InvalidRequestError(f"Production variant {variant['VariantName']} needs an InstanceType.")
    return ENDPOINT_CONFIG.create(world, request)


describe_endpoint_config = ENDPOINT_CONFIG.describe
list_endpoint_configs = ENDPOINT_CONFIG.list
delete_endpoint_config = ENDPOINT_CONFIG.delete
