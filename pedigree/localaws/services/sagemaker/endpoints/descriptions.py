"""The parts of an endpoint's description: its variants, and its data capture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.services.sagemaker.endpoints.generation import Generation, Variant


def running(generation: Generation) -> list[dict[str, Any]]:
    """The variants of a generation that runs."""
    counts = generation.counts()
    return [_variant(variant, counts[name], generation.weights[name]) for name, variant in generation.variants.items()]


def shadowing(generation: Generation) -> list[dict[str, Any]] | None:
    """The shadow variants of a generation; None if it has none."""
    shadows = generation.shadows.values()
    return [_variant(shadow, shadow.count, shadow.weight) for shadow in shadows] or None


def _variant(variant: Variant, count: int, weight: float) -> dict[str, Any]:
    weights = {"CurrentWeight": weight, "DesiredWeight": weight}
    described = {"VariantName": variant.name, "DeployedImages": list(variant.images), **weights}
    if not variant.serverless:
        return {**described, "CurrentInstanceCount": count, "DesiredInstanceCount": count}
    warm = {"ProvisionedConcurrency": count} if "ProvisionedConcurrency" in variant.serverless else {}
    config = {**variant.serverless, **warm}
    return {**described, "CurrentServerlessConfig": config, "DesiredServerlessConfig": config}


def coming(configuration: Mapping[str, Any], counts: Mapping[str, int], weights: Mapping[str, float]) -> list[Any]:
    """The variants of a configuration before they run; some keep their present instances and weights."""
    return [
        {
            "VariantName": variant["VariantName"],
            "DesiredWeight": weights.get(variant["VariantName"], variant.get("InitialVariantWeight", 1.0)),
            **(
                {"DesiredServerlessConfig": variant["ServerlessConfig"]}
                if variant.get("ServerlessConfig")
                else {
                    "DesiredInstanceCount": counts.get(variant["VariantName"], variant.get("InitialInstanceCount", 1))
                }
            ),
        }
        for variant in configuration["ProductionVariants"]
    ]


def captured(configured: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The DataCaptureConfig of a description; None where the configuration has none."""
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
