"""SageMaker's events, in the form in which EventBridge gets them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from pedigree.localaws.kernel.world import World


def publish(world: World, detail_type: str, resources: Sequence[str], detail: Mapping[str, Any]) -> None:
    """Publish a state change of some resources."""
    world.bus.publish(
        {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": "aws.sagemaker",
            "account": world.account,
            "time": world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": world.region,
            "resources": list(resources),
            "detail": dict(detail),
        }
    )
