"""The operations of endpoint configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources.handlers import Request
from pedigree.localaws.services.sagemaker.resources.models import ENDPOINT_CONFIG, MODEL, SHADOWS

_NOT_SCALED = "ManagedInstanceScaling is not supported with the given EndpointConfig setup."


def create_endpoint_config(world: World, request: Request) -> Mapping[str, Any]:
    variants = [*request["ProductionVariants"], *request.get(SHADOWS, ())]
    if len({variant["VariantName"] for variant in variants}) < len(variants):
        raise InvalidRequestError("Production variant names must be unique within an endpoint configuration.")
    for variant in variants:
        if "ModelName" in variant and _is_scaled_by_sagemaker(variant):
            raise InvalidRequestError(_NOT_SCALED)
        if "ModelName" not in variant:
            components = "the local AWS does not carry out inference components"
            raise InvalidRequestError(f"Production variant {variant['VariantName']} needs a ModelName: {components}.")
        MODEL.get(world, variant["ModelName"])
        if not variant.get("ServerlessConfig") and "InstanceType" not in variant:
            raise InvalidRequestError(f"Production variant {variant['VariantName']} needs an InstanceType.")
    _check_asynchronous(request)
    _check_shadows(request)
    return ENDPOINT_CONFIG.create(world, request)


def _check_asynchronous(request: Request) -> None:
    """Refuse an asynchronous endpoint whose answers would get lost, or that is serverless."""
    asynchronous = request.get("AsyncInferenceConfig")
    if not asynchronous:
        return
    if not asynchronous["OutputConfig"].get("S3OutputPath"):
        why = "the local AWS has no SNS topic that could have the answers"
        raise InvalidRequestError(f"AsyncInferenceConfig.OutputConfig needs an S3OutputPath: {why}.")
    if any(variant.get("ServerlessConfig") for variant in request["ProductionVariants"]):
        raise InvalidRequestError("AsyncInferenceConfig is not supported for serverless variants.")


def _check_shadows(request: Request) -> None:
    """Refuse shadow variants that do not shadow one variant of their kind."""
    shadows = request.get(SHADOWS)
    if not shadows:
        return
    if len(request["ProductionVariants"]) != 1 or len(shadows) != 1:
        raise InvalidRequestError("A shadow variant needs one production variant, and there is one shadow variant.")
    if any(variant.get("ServerlessConfig") for variant in (*request["ProductionVariants"], *shadows)):
        raise InvalidRequestError("Shadow variants are not supported for serverless variants.")
    if request.get("AsyncInferenceConfig"):
        raise InvalidRequestError("Shadow variants are not supported with an AsyncInferenceConfig.")


def _is_scaled_by_sagemaker(variant: Mapping[str, Any]) -> bool:
    return (variant.get("ManagedInstanceScaling") or {}).get("Status") == "ENABLED"


describe_endpoint_config = ENDPOINT_CONFIG.describe
list_endpoint_configs = ENDPOINT_CONFIG.list
delete_endpoint_config = ENDPOINT_CONFIG.delete
