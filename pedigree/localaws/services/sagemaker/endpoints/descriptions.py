"""What Describe says of what an endpoint runs and captures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.services.sagemaker.endpoints.generation import Generation, Variant


def running(generation: Generation) -> list[dict[str, Any]]:
    """The variants as they are."""
    counts = generation.counts()
    return [_variant(one, counts[name], generation.weights[name]) for name, one in generation.variants.items()]


def _variant(variant: Variant, count: int, weight: float) -> dict[str, Any]:
    told = {"VariantName": variant.name, "CurrentWeight": weight, "DesiredWeight": weight}
    if not variant.serverless:
        return {**told, "CurrentInstanceCount": count, "DesiredInstanceCount": count}
    warm = {"ProvisionedConcurrency": count} if "ProvisionedConcurrency" in variant.serverless else {}
    config = {**variant.serverless, **warm}
    return {**told, "CurrentServerlessConfig": config, "DesiredServerlessConfig": config}


def coming(configuration: Mapping[str, Any], counts: Mapping[str, int], weights: Mapping[str, float]) -> list[Any]:
    """The variants of a configuration before they run; some keep the instances and the weight that they have."""
    return [
        {
            "VariantName": one["VariantName"],
            "DesiredWeight": weights.get(one["VariantName"], one.get("InitialVariantWeight", 1.0)),
            **(
                {"DesiredServerlessConfig": one["ServerlessConfig"]}
                if one.get("ServerlessConfig")
                else {"DesiredInstanceCount": counts.get(one["VariantName"], one.get("InitialInstanceCount", 1))}
            ),
        }
        for one in configuration["ProductionVariants"]
    ]


def captured(configured: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What is captured, as Describe has it; None where nothing ever was to be."""
    if not configured:
        return None
    is_on = configured.get("EnableCapture", True)
    return {
        "EnableCapture": is_on,
        "CaptureStatus": "Started" if is_on else "Stopped",
        "CurrentSamplingPercentage": configured["InitialSamplingPercentage"],
        "DestinationS3Uri": configured["DestinationS3Uri"],
        "KmsKeyId": configured.get("KmsKeyId", ""),
    }
