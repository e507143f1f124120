"""Events, as EventBridge has them: who says what about which resources, and when."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from pedigree.localaws.kernel.world import World


def emit(world: World, detail_type: str, resources: Sequence[str], detail: Mapping[str, Any]) -> None:
    """Tell an event of SageMaker's to whoever listens."""
    world.bus.emit(
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
