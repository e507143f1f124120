"""The operations of endpoints; endpoints/endpoints.py carries them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.endpoints import descriptions as summaries
from pedigree.localaws.services.sagemaker.endpoints.deployment import Order
from pedigree.localaws.services.sagemaker.endpoints.endpoints import Endpoints
from pedigree.localaws.services.sagemaker.endpoints.resource import ENDPOINT
from pedigree.localaws.services.sagemaker.resources import models
from pedigree.localaws.services.sagemaker.resources.handlers import Request

_RETAINED = frozenset({"DesiredInstanceCount", "DesiredWeight", "DataCaptureConfig"})
_SIZES: Mapping[str, tuple[str, int]] = {"CanarySize": ("CANARY", 1), "LinearStepSize": ("LINEAR", 10)}
_MOST_PERCENT = 50


@dataclass(frozen=True)
class EndpointOperations:
    """Endpoints."""

    endpoints: Endpoints

    describe_endpoint = ENDPOINT.describe
    list_endpoints = ENDPOINT.list

    def create_endpoint(self, world: World, request: Request) -> Mapping[str, Any]:
        configuration = models.ENDPOINT_CONFIG.get(world, request["EndpointConfigName"])
        deployment = _deployment(request.get("DeploymentConfig"))
        endpoint = ENDPOINT.create(
            world,
            {key: value for key, value in request.items() if key != "DeploymentConfig"},
            EndpointStatus="Creating",
            LastModifiedTime=world.now(),
            LastDeploymentConfig=deployment,
            ProductionVariants=summaries.coming(configuration, {}, {}),
            DataCaptureConfig=summaries.captured(configuration.get("DataCaptureConfig")),
            _capture=configuration.get("DataCaptureConfig"),
        )
        self.endpoints.begin(request["EndpointName"])
        return endpoint

    def update_endpoint(self, world: World, request: Request) -> Mapping[str, Any]:
        name = request["EndpointName"]
        with world.store.transaction():
            endpoint = _at_rest(world, name)
            configuration = models.ENDPOINT_CONFIG.get(world, request["EndpointConfigName"])
            order = _order(request, endpoint, configuration)
            pending = {
                "EndpointConfigName": order.configuration,
                "ProductionVariants": summaries.coming(configuration, order.counts, order.weights),
                "StartTime": world.now(),
            }
            _updating(world, endpoint, PendingDeploymentSummary=pending, _change=order.document())
        self.endpoints.update(name, order)
        return endpoint

    def update_endpoint_weights_and_capacities(self, world: World, request: Request) -> Mapping[str, Any]:
        name, asked = request["EndpointName"], request["DesiredWeightsAndCapacities"]
        with world.store.transaction():
            endpoint = _at_rest(world, name)
            known = [one["VariantName"] for one in endpoint["ProductionVariants"]]
            unknown = [one["VariantName"] for one in asked if one["VariantName"] not in known]
            if unknown:
                raise InvalidRequestError(f"The following variants {unknown} do not exist in endpoint {name}.")
            counts = {one["VariantName"]: one["DesiredInstanceCount"] for one in asked if "DesiredInstanceCount" in one}
            weights = {one["VariantName"]: one["DesiredWeight"] for one in asked if "DesiredWeight" in one}
            _updating(world, endpoint, **Order.of(endpoint).resized(counts, weights))
        self.endpoints.resize(name, counts, weights)
        return endpoint

    def delete_endpoint(self, world: World, request: Request) -> Mapping[str, Any]:
        name = request["EndpointName"]
        with world.store.transaction():
            endpoint = ENDPOINT.get(world, name)
            if endpoint["EndpointStatus"] in ("Creating", "Updating"):
                changing = f'endpoint "{endpoint["EndpointArn"]}" while it is being changed'
                raise InvalidRequestError(f"Cannot delete {changing}.")
            if endpoint["EndpointStatus"] == "Deleting":
                return {}  # whoever asked first sees to it; a second time might meet the next endpoint of that name
            world.store.put(ENDPOINT.kind, name, {**endpoint, "EndpointStatus": "Deleting"})
        self.endpoints.remove(name)
        return {}


def _at_rest(world: World, name: str) -> Document:
    """An endpoint that can be changed now."""
    endpoint = ENDPOINT.get(world, name)
    if endpoint["EndpointStatus"] == "Failed":
        raise InvalidRequestError(f'Cannot update endpoint "{endpoint["EndpointArn"]}" in Failed status.')
    if endpoint["EndpointStatus"] != "InService":
        raise InvalidRequestError(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
    return endpoint


def _updating(world: World, endpoint: Document, **members: Any) -> None:
    changed = {**endpoint, **members, "EndpointStatus": "Updating", "LastModifiedTime": world.now()}
    world.store.put(ENDPOINT.kind, endpoint["EndpointName"], changed)


def _order(request: Request, endpoint: Document, configuration: Document) -> Order:
    """What an update asks for, and what of the present it keeps."""
    excluded = {one["VariantPropertyType"] for one in request.get("ExcludeRetainedVariantProperties", ())}
    kept = _RETAINED - excluded if request.get("RetainAllVariantProperties") else frozenset()
    names = {one["VariantName"] for one in configuration["ProductionVariants"]}
    now = Order.of(endpoint)
    deployment = request.get("DeploymentConfig")
    if request.get("RetainDeploymentConfig"):
        deployment = endpoint.get("LastDeploymentConfig")
    return Order(
        request["EndpointConfigName"],
        {key: value for key, value in now.counts.items() if key in names} if "DesiredInstanceCount" in kept else {},
        {key: value for key, value in now.weights.items() if key in names} if "DesiredWeight" in kept else {},
        now.capture if "DataCaptureConfig" in kept else configuration.get("DataCaptureConfig"),
        _deployment(deployment),
    )


def _deployment(asked: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """A deployment configuration that can be followed."""
    if asked and ("BlueGreenUpdatePolicy" in asked) and ("RollingUpdatePolicy" in asked):
        raise InvalidRequestError("Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified.")
    routing = (asked or {}).get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    for member, (kind, least) in _SIZES.items():
        size = routing.get(member)
        if (size is None) == (routing.get("Type") == kind):
            told = "must be specified" if size is None else "must not be specified"
            raise InvalidRequestError(f"{member} {told} for a traffic routing of type {routing.get('Type')}.")
        if size and size["Type"] == "CAPACITY_PERCENT" and not least <= size["Value"] <= _MOST_PERCENT:
            raise InvalidRequestError(f"{member} must be between {least} and {_MOST_PERCENT} percent of the capacity.")
    return asked
