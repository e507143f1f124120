"""An endpoint as DescribeEndpoint returns it: what it serves, and what it will serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.aws import Aws

IN_SERVICE = "InService"
# SageMaker changes these statuses by itself.
TRANSITIONAL_STATUSES = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


@dataclass(frozen=True)
class EndpointState:
    """An endpoint; counts are the desired instances of each variant."""

    name: str
    status: str
    configuration: str
    target_configuration: str
    reason: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_failed_or_deleting(self) -> bool:
        """Whether its target configuration will never be served."""
        return self.status in ("Failed", "Deleting")

    @property
    def is_in_transition(self) -> bool:
        """Whether SageMaker is changing it, so that nothing can be done but wait."""
        return self.status in TRANSITIONAL_STATUSES


def find(aws: Aws, name: str) -> EndpointState | None:
    """Returns an endpoint by name, or None."""
    response = aws.find("sagemaker", "describe_endpoint", EndpointName=name)
    return None if response is None else parse(response)


def parse(response: Mapping[str, Any]) -> EndpointState:
    """Parses a response of DescribeEndpoint."""
    configuration = str(response.get("EndpointConfigName", ""))
    return EndpointState(
        name=str(response["EndpointName"]),
        status=str(response["EndpointStatus"]),
        configuration=configuration,
        target_configuration=str(response.get("PendingDeploymentSummary", {}).get("EndpointConfigName", configuration)),
        reason=str(response.get("FailureReason", "")),
        counts={
            str(variant["VariantName"]): int(
                variant.get("DesiredInstanceCount", variant.get("CurrentInstanceCount", 0))
            )
            for variant in response.get("ProductionVariants", ())
        },
    )


def resource_id(endpoint: str, variant: str) -> str:
    """Returns a variant's id in Application Auto Scaling."""
    return f"endpoint/{endpoint}/variant/{variant}"


# The dimension that scales.
DIMENSION = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
