"""Models and the configurations of endpoints: neither changes once it is created."""

from __future__ import annotations

from pedigree.localaws.services.sagemaker.resources.listing import Listing
from pedigree.localaws.services.sagemaker.resources.resource import Resource

MODEL = Resource("model", "model", "ModelName", "ModelArn", Listing("Models", "ModelName"))
SHADOWS = "ShadowProductionVariants"
"""The variants that get copies of requests, and whose answers nobody gets."""
ENDPOINT_CONFIG = Resource(
    "endpoint-config",
    "endpoint configuration",
    "EndpointConfigName",
    "EndpointConfigArn",
    Listing("EndpointConfigs", "EndpointConfigName"),
)
