"""The operations of endpoints; endpoints/endpoints.py carries them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.endpoints import descriptions as summaries
from pedigree.localaws.services.sagemaker.endpoints.deployment import DesiredState
from pedigree.localaws.services.sagemaker.endpoints.endpoints import Endpoints
from pedigree.localaws.services.sagemaker.endpoints.events import deployment_changed, endpoint_changed
from pedigree.localaws.services.sagemaker.endpoints.new_generation import ASYNC
from pedigree.localaws.services.sagemaker.endpoints.progress import resized
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
        self.endpoints.check_roles(request["EndpointConfigName"])
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
            AsyncInferenceConfig=configuration.get(ASYNC),
        )
        endpoint_changed(world, endpoint)
        self.endpoints.begin(request["EndpointName"])
        return endpoint

    def update_endpoint(self, world: World, request: Request) -> Mapping[str, Any]:
        name = request["EndpointName"]
        with world.store.transaction():
            endpoint = _at_rest(world, name)
            configuration = models.ENDPOINT_CONFIG.get(world, request["EndpointConfigName"])
            desired = _desired(request, endpoint, configuration)
            pending = {
                "EndpointConfigName": desired.configuration,
                "ProductionVariants": summaries.coming(configuration, desired.counts, desired.weights),
                "StartTime": world.now(),
            }
            _updating(world, endpoint, PendingDeploymentSummary=pending, _change=desired.document())
        self.endpoints.update(name, desired)
        return endpoint

    def update_endpoint_weights_and_capacities(self, world: World, request: Request) -> Mapping[str, Any]:
        name, changes = request["EndpointName"], request["DesiredWeightsAndCapacities"]
        with world.store.transaction():
            endpoint = _at_rest(world, name)
            names = [variant["VariantName"] for variant in endpoint["ProductionVariants"]]
            unknown = [change["VariantName"] for change in changes if change["VariantName"] not in names]
            if unknown:
                raise InvalidRequestError(f"The following variants {unknown} do not exist in endpoint {name}.")
            counts = _by_variant(changes, "DesiredInstanceCount")
            weights = _by_variant(changes, "DesiredWeight")
            variants = resized(endpoint["ProductionVariants"], counts, world.now())
            members = DesiredState.of(endpoint).resized(counts, weights)
            deployment_changed(world, _updating(world, endpoint, ProductionVariants=variants, **members))
        self.endpoints.resize(name, counts, weights)
        return endpoint

    def delete_endpoint(self, world: World, request: Request) -> Mapping[str, Any]:
        name = request["EndpointName"]
        with world.store.transaction():
            endpoint = ENDPOINT.get(world, name)
            if endpoint["EndpointStatus"] in ("Creating", "Updating"):
                raise InvalidRequestError(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
            if endpoint["EndpointStatus"] == "Deleting":
                return {}  # the first request does it; a second one might delete the next endpoint of that name
            deleting = {**endpoint, "EndpointStatus": "Deleting"}
            world.store.put(ENDPOINT.kind, name, deleting)
            endpoint_changed(world, deleting)
        self.endpoints.remove(name)
        return {}


def _by_variant(changes: Sequence[Mapping[str, Any]], member: str) -> Mapping[str, Any]:
    return {change["VariantName"]: change[member] for change in changes if member in change}


def _at_rest(world: World, name: str) -> Document:
    """An endpoint that can be updated now."""
    endpoint = ENDPOINT.get(world, name)
    if endpoint["EndpointStatus"] == "Failed":
        raise InvalidRequestError(f'Cannot update endpoint "{endpoint["EndpointArn"]}" in Failed status.')
    if endpoint["EndpointStatus"] != "InService":
        raise InvalidRequestError(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
    return endpoint


def _updating(world: World, endpoint: Document, **members: Any) -> Document:
    changed = {**endpoint, **members, "EndpointStatus": "Updating", "LastModifiedTime": world.now()}
    world.store.put(ENDPOINT.kind, endpoint["EndpointName"], changed)
    endpoint_changed(world, changed)
    return changed


def _desired(request: Request, endpoint: Document, configuration: Document) -> DesiredState:
    """The state that an update requests, with the parts of the present one that it keeps."""
    excluded = {each["VariantPropertyType"] for each in request.get("ExcludeRetainedVariantProperties", ())}
    retained = _RETAINED - excluded if request.get("RetainAllVariantProperties") else frozenset()
    names = {variant["VariantName"] for variant in configuration["ProductionVariants"]}
    now = DesiredState.of(endpoint)
    deployment = request.get("DeploymentConfig")
    if request.get("RetainDeploymentConfig"):
        deployment = endpoint.get("LastDeploymentConfig")
    return DesiredState(
        request["EndpointConfigName"],
        {key: value for key, value in now.counts.items() if key in names} if "DesiredInstanceCount" in retained else {},
        {key: value for key, value in now.weights.items() if key in names} if "DesiredWeight" in retained else {},
        now.capture if "DataCaptureConfig" in retained else configuration.get("DataCaptureConfig"),
        _deployment(deployment),
    )


def _deployment(config: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Check a DeploymentConfig."""
    if config and ("BlueGreenUpdatePolicy" in config) and ("RollingUpdatePolicy" in config):
        raise InvalidRequestError("Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified.")
    routing = (config or {}).get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    for member, (kind, least) in _SIZES.items():
        size = routing.get(member)
        if (size is None) == (routing.get("Type") == kind):
            must = "must be specified" if size is None else "must not be specified"
            raise InvalidRequestError(f"{member} {must} for a traffic routing of type {routing.get('Type')}.")
        if size and size["Type"] == "CAPACITY_PERCENT" and not least <= size["Value"] <= _MOST_PERCENT:
            raise InvalidRequestError(f"{member} must be between {least} and {_MOST_PERCENT} percent of the capacity.")
    return config
