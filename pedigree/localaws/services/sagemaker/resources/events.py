"""SageMaker's events, in the form in which EventBridge gets them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pedigree.localaws.kernel.world import World


def publish(world: World, detail_type: str, resources: Sequence[str], detail: Mapping[str, Any]) -> None:
    """Publish a state change of some resources."""
    world.bus.publish(world.event("aws.sagemaker", detail_type, detail, resources))
