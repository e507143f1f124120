"""Endpoints: created, described, updated, resized, deleted. Their life is endpoints/endpoints.py's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localaws.endpoints.endpoints import ENDPOINT, Endpoints
from localaws.protocol.errors import InvalidRequestError
from localaws.sagemaker import models
from localaws.sagemaker.listing import Listing
from localaws.sagemaker.resources import Resource
from localaws.sagemaker.service import Handler, Request
from localaws.store import Document
from localaws.world import World

RESOURCE = Resource(
    ENDPOINT, "endpoint", "EndpointName", "EndpointArn", Listing("Endpoints", "EndpointName", "EndpointStatus")
)


@dataclass(frozen=True)
class EndpointHandlers:
    """The handlers, and the endpoints that they act on."""

    endpoints: Endpoints

    def table(self) -> Mapping[str, Handler]:
        """The handlers by their operations."""
        return {
            "CreateEndpoint": self._create,
            "DescribeEndpoint": RESOURCE.describe,
            "ListEndpoints": RESOURCE.list,
            "UpdateEndpoint": self._update,
            "UpdateEndpointWeightsAndCapacities": self._resize,
            "DeleteEndpoint": self._delete,
        }

    def _create(self, world: World, request: Request) -> Mapping[str, Any]:
        configuration = models.CONFIGURATION.get(world, request["EndpointConfigName"])
        endpoint = RESOURCE.create(
            world,
            {key: value for key, value in request.items() if key != "DeploymentConfig"},
            EndpointStatus="Creating",
            LastModifiedTime=world.now(),
            ProductionVariants=_wanted(configuration, {}),
        )
        self.endpoints.begin(request["EndpointName"])
        return endpoint

    def _update(self, world: World, request: Request) -> Mapping[str, Any]:
        name = request["EndpointName"]
        with world.store.together():
            endpoint = _at_rest(world, name, "update")
            configuration = models.CONFIGURATION.get(world, request["EndpointConfigName"])
            kept = {one["VariantName"]: one["CurrentInstanceCount"] for one in endpoint["ProductionVariants"]}
            counts = kept if request.get("RetainAllVariantProperties") else {}
            deployment = request.get("DeploymentConfig")
            if request.get("RetainDeploymentConfig"):
                deployment = endpoint.get("LastDeploymentConfig")
            wanted = {one["VariantName"]: one["DesiredInstanceCount"] for one in _wanted(configuration, counts)}
            update = {"configuration": request["EndpointConfigName"], "counts": wanted, "deployment": deployment}
            changed = {"EndpointStatus": "Updating", "LastModifiedTime": world.now(), "_update": update}
            world.store.put(ENDPOINT, name, {**endpoint, **changed})
        self.endpoints.update(name, **update)
        return endpoint

    def _resize(self, world: World, request: Request) -> Mapping[str, Any]:
        name, asked = request["EndpointName"], request["DesiredWeightsAndCapacities"]
        with world.store.together():
            endpoint = _at_rest(world, name, "update")
            known = [one["VariantName"] for one in endpoint["ProductionVariants"]]
            unknown = [one["VariantName"] for one in asked if one["VariantName"] not in known]
            if unknown:
                raise InvalidRequestError(f"The following variants {unknown} do not exist in endpoint {name}.")
            world.store.put(ENDPOINT, name, {**endpoint, "EndpointStatus": "Updating", "LastModifiedTime": world.now()})
        counts = {one["VariantName"]: one["DesiredInstanceCount"] for one in asked if "DesiredInstanceCount" in one}
        weights = {one["VariantName"]: one["DesiredWeight"] for one in asked if "DesiredWeight" in one}
        self.endpoints.resize(name, counts, weights)
        return endpoint

    def _delete(self, world: World, request: Request) -> Mapping[str, Any]:
        name = request["EndpointName"]
        with world.store.together():
            endpoint = RESOURCE.get(world, name)
            if endpoint["EndpointStatus"] in ("Creating", "Updating"):
                changing = f'endpoint "{endpoint["EndpointArn"]}" while it is being changed'
                raise InvalidRequestError(f"Cannot delete {changing}.")
            world.store.put(ENDPOINT, name, {**endpoint, "EndpointStatus": "Deleting"})
        self.endpoints.remove(name)
        return {}


def _at_rest(world: World, name: str, what: str) -> Document:
    """An endpoint that can be changed now."""
    endpoint = RESOURCE.get(world, name)
    if endpoint["EndpointStatus"] != "InService":
        raise InvalidRequestError(f'Cannot {what} in-progress endpoint "{endpoint["EndpointArn"]}".')
    return endpoint


def _wanted(configuration: Document, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """The variants of a configuration before they run; some keep the number of instances that they have."""
    return [
        {
            "VariantName": one["VariantName"],
            "DesiredWeight": one.get("InitialVariantWeight", 1.0),
            "DesiredInstanceCount": counts.get(one["VariantName"], one.get("InitialInstanceCount", 1)),
        }
        for one in configuration["ProductionVariants"]
    ]
