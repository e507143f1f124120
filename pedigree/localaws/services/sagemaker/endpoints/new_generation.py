"""Makes a generation of an endpoint from its configuration and what the endpoint is to become."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.endpoints.capture import Capture
from pedigree.localaws.services.sagemaker.endpoints.deployment import DesiredState
from pedigree.localaws.services.sagemaker.endpoints.generation import Generation
from pedigree.localaws.services.sagemaker.endpoints.hosting import HostEnvironment, variants
from pedigree.localaws.services.sagemaker.resources import models

ASYNC = "AsyncInferenceConfig"


def new_generation(
    world: World, host: HostEnvironment, endpoint: str, desired: DesiredState, folder: Path
) -> Generation:
    """A generation that is ready to start, with its models in a folder; InstanceError if one cannot be prepared."""
    configuration = models.ENDPOINT_CONFIG.get(world, desired.configuration)
    chosen = tuple(
        replace(
            variant,
            count=desired.counts.get(variant.name, variant.count),
            weight=desired.weights.get(variant.name, variant.weight),
        )
        for variant in variants(world, host, endpoint, configuration, folder)
    )
    return Generation(
        desired.configuration,
        chosen,
        folder.name,
        Capture.of(desired.capture),
        asynchronous=configuration.get(ASYNC),
        shadows=variants(world, host, endpoint, configuration, folder, models.SHADOWS),
    )
