"""Endpoints as a resource."""

from __future__ import annotations

from pedigree.localaws.services.sagemaker.resources.listing import Listing
from pedigree.localaws.services.sagemaker.resources.resource import Resource

ENDPOINT = Resource(
    "endpoint", "endpoint", "EndpointName", "EndpointArn", Listing("Endpoints", "EndpointName", "EndpointStatus")
)
