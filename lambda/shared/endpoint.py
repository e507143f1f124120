"""An endpoint, as DescribeEndpoint tells of it: what it serves, and what it is about to serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.aws import Aws

IN_SERVICE = "InService"
# It is at something, and will be at something else by itself.
MOVING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


@dataclass(frozen=True)
class Endpoint:
    """One endpoint; counts are the instances that each variant is asked to have."""

    name: str
    status: str
    configuration: str
    heading_for: str
    reason: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_lost(self) -> bool:
        """Whether nothing will come of what it was to serve."""
        return self.status in ("Failed", "Deleting")

    @property
    def is_moving(self) -> bool:
        """Whether to ask again later is all that can be done."""
        return self.status in MOVING


def find(aws: Aws, name: str) -> Endpoint | None:
    """The endpoint of a name, if there is one."""
    answer = aws.find("sagemaker", "describe_endpoint", EndpointName=name)
    return None if answer is None else read(answer)


def read(answer: Mapping[str, Any]) -> Endpoint:
    """What an answer of DescribeEndpoint says."""
    configuration = str(answer.get("EndpointConfigName", ""))
    return Endpoint(
        name=str(answer["EndpointName"]),
        status=str(answer["EndpointStatus"]),
        configuration=configuration,
        heading_for=str(answer.get("PendingDeploymentSummary", {}).get("EndpointConfigName", configuration)),
        reason=str(answer.get("FailureReason", "")),
        counts={
            str(one["VariantName"]): int(one.get("DesiredInstanceCount", one.get("CurrentInstanceCount", 0)))
            for one in answer.get("ProductionVariants", ())
        },
    )


def resource_id(endpoint: str, variant: str) -> str:
    """The name that Application Auto Scaling has for a variant."""
    return f"endpoint/{endpoint}/variant/{variant}"


# What scales of it.
DIMENSION = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
