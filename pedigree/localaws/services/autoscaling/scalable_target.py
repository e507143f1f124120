"""A scalable target of Application Auto Scaling: a variant of an endpoint, with its capacity limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_INSTANCE_COUNT = "sagemaker:variant:DesiredInstanceCount"
DIMENSIONS = (_INSTANCE_COUNT, "sagemaker:variant:DesiredProvisionedConcurrency")


@dataclass(frozen=True)
class ScalableTarget:
    """A variant that is scaled; suspended names the kinds of scaling that are switched off."""

    resource: str
    dimension: str
    min_capacity: int
    max_capacity: int
    suspended: Mapping[str, bool]

    @property
    def endpoint(self) -> str:
        return self.resource.split("/")[1]

    @property
    def variant(self) -> str:
        return self.resource.split("/")[3]

    @property
    def capacity_name(self) -> str:
        """Return what is scaled, as messages call it."""
        return "instance count" if self.dimension == _INSTANCE_COUNT else "provisioned concurrency"

    @classmethod
    def parse(cls, description: Mapping[str, Any]) -> ScalableTarget:
        """Return the target in an entry of DescribeScalableTargets."""
        limits = int(description["MinCapacity"]), int(description["MaxCapacity"])
        suspended = description.get("SuspendedState") or {}
        return cls(description["ResourceId"], description["ScalableDimension"], *limits, suspended)
