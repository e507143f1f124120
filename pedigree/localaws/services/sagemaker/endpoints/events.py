"""The events that SageMaker publishes about endpoints and their deployments."""

from __future__ import annotations

from pedigree.language.shapes import service
from pedigree.localaws.http.protocol.serializer import shaped
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import events, tags

_STATE, _DEPLOYMENT = (f"SageMaker Endpoint {what}State Change" for what in ("", "Deployment "))
_MEMBERS = ("EndpointName", "EndpointArn", "EndpointConfigName", "ProductionVariants", "CreationTime")
_STATUSES = {"InService": "IN_SERVICE", "RollingBack": "ROLLING_BACK"}
_PENDING = "PendingDeploymentSummary"


def endpoint_changed(world: World, endpoint: Document) -> None:
    """Publish the event for an endpoint with another status."""
    _publish(world, _STATE, endpoint, (*_MEMBERS, "LastModifiedTime", "FailureReason"))


def deployment_changed(world: World, endpoint: Document) -> None:
    """Publish the event for an endpoint whose deployment has come further."""
    _publish(world, _DEPLOYMENT, endpoint, (*_MEMBERS, "LastModifiedTime", _PENDING))


def _publish(world: World, title: str, endpoint: Document, members: tuple[str, ...]) -> None:
    shape, arn = service().operation_model("DescribeEndpoint").output_shape, endpoint["EndpointArn"]
    chosen = {member: endpoint[member] for member in members if endpoint.get(member) is not None}
    status = endpoint["EndpointStatus"]
    detail = {
        **shaped(shape, chosen, lambda moment: float(events.milliseconds(moment))),
        "EndpointStatus": _STATUSES.get(status, status.upper()),
        "Tags": tags.of(world, arn),
    }
    events.publish(world, title, [arn], detail)
