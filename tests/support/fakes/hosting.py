"""SageMaker's hosting: models, configurations and endpoints, which take time to be created, updated and deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from tests.support.fakes.clients import FakeService
from tests.support.fakes.clock import SimulatedClock

ACCOUNT = "arn:aws:sagemaker:us-east-1:123456789012"
SECONDS = {"Creating": 180.0, "Updating": 400.0, "Deleting": 60.0, "SystemUpdating": 90.0, "Scaling": 120.0}
IN_TRANSITION = ("Creating", "Updating", "SystemUpdating", "Deleting", "RollingBack")


@dataclass
class Endpoint:
    """One endpoint; `becomes` completes its current transition when the time of that is over."""

    name: str
    configuration: str
    status: str
    tags: dict[str, str]
    counts: dict[str, int]
    pending: str = ""
    until: float = 0.0
    becomes: Callable[[], None] = lambda: None
    reason: str = ""
    deployments: list[str] = field(default_factory=list)


@dataclass
class Hosting(FakeService):
    """The operations on models, configurations and endpoints."""

    clock: SimulatedClock
    is_scaled: Callable[[str], bool]
    is_alarm: Callable[[str], bool]
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    configurations: dict[str, dict[str, Any]] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    fate: str = ""  # "fails": a creation ends in Failed; "rolls back": an update ends where it began
    page: int = 100

    def create_model(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"ModelArn": self._keep(self.models, "model", request, "ModelName")}

    def create_endpoint_config(self, request: dict[str, Any]) -> dict[str, Any]:
        for variant in request["ProductionVariants"]:
            self._get(self.models, "model", variant["ModelName"])
        arn = self._keep(self.configurations, "endpoint configuration", request, "EndpointConfigName")
        return {"EndpointConfigArn": arn}

    def describe_model(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._get(self.models, "model", request["ModelName"])

    def describe_endpoint_config(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._get(self.configurations, "endpoint configuration", request["EndpointConfigName"])

    def delete_model(self, request: dict[str, Any]) -> None:
        self._get(self.models, "model", request["ModelName"])
        del self.models[request["ModelName"]]

    def delete_endpoint_config(self, request: dict[str, Any]) -> None:
        self._get(self.configurations, "endpoint configuration", request["EndpointConfigName"])
        del self.configurations[request["EndpointConfigName"]]

    def list_models(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._page(self.models, request, "Models", ("ModelName", "ModelArn"))

    def list_endpoint_configs(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._page(self.configurations, request, "EndpointConfigs", ("EndpointConfigName", "EndpointConfigArn"))

    def list_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": [{"Key": key, "Value": value} for key, value in self.tags[request["ResourceArn"]].items()]}

    def add_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        self.tags[request["ResourceArn"]] |= _tags(request)
        return {"Tags": request["Tags"]}

    def create_endpoint(self, request: dict[str, Any]) -> dict[str, Any]:
        name, configuration = request["EndpointName"], request["EndpointConfigName"]
        if self.at_present(name):
            self.refuse("ValidationException", f'Cannot create already existing endpoint "{_arn("endpoint", name)}".')
        self._get(self.configurations, "endpoint configuration", configuration)
        made = Endpoint(name, configuration, "Creating", _tags(request), {}, deployments=[configuration])
        self.endpoints[name] = made
        self._begin(made, "Creating", lambda: self._created(made))
        return {"EndpointArn": _arn("endpoint", name)}

    def update_endpoint(self, request: dict[str, Any]) -> dict[str, Any]:
        found = self._changeable(request["EndpointName"])
        configuration = request["EndpointConfigName"]
        self._get(self.configurations, "endpoint configuration", configuration)
        self._check_scaling(found, configuration)
        for alarm in request.get("DeploymentConfig", {}).get("AutoRollbackConfiguration", {}).get("Alarms", ()):
            if not self.is_alarm(alarm["AlarmName"]):
                self.refuse("ValidationException", f"Alarm {alarm['AlarmName']} does not exist.")
        excluded = {
            property_["VariantPropertyType"] for property_ in request.get("ExcludeRetainedVariantProperties", ())
        }
        retained = request.get("RetainAllVariantProperties", False) and "DesiredInstanceCount" not in excluded
        counts = self._counts(configuration) | (
            {k: v for k, v in found.counts.items() if k in self.machines(configuration)} if retained else {}
        )
        found.pending = configuration
        found.deployments.append(configuration)
        self._begin(found, "Updating", lambda: self._updated(found, configuration, counts))
        return {"EndpointArn": _arn("endpoint", found.name)}

    def update_endpoint_weights_and_capacities(self, request: dict[str, Any]) -> dict[str, Any]:
        found = self._changeable(request["EndpointName"])
        for variant in request["DesiredWeightsAndCapacities"]:
            found.counts[variant["VariantName"]] = variant["DesiredInstanceCount"]
        self._begin(found, "Updating", lambda: None, SECONDS["Scaling"])
        return {"EndpointArn": _arn("endpoint", found.name)}

    def delete_endpoint(self, request: dict[str, Any]) -> None:
        found = self._changeable(request["EndpointName"], failed_too=True)
        self._begin(found, "Deleting", lambda: self._deleted(found.name))

    def describe_endpoint(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["EndpointName"]
        found = self.at_present(name) or self._missing("endpoint", name)
        variants = [{"VariantName": variant, "DesiredInstanceCount": count} for variant, count in found.counts.items()]
        return {
            "EndpointName": name,
            "EndpointArn": _arn("endpoint", name),
            "EndpointConfigName": found.configuration,
            "EndpointStatus": found.status,
            **({"ProductionVariants": variants} if variants else {}),
            **({"FailureReason": found.reason} if found.reason else {}),
            **({"PendingDeploymentSummary": {"EndpointConfigName": found.pending}} if found.pending else {}),
        }

    def disturb(self, name: str, status: str, pending: str = "") -> None:
        """Another user, or AWS itself, changes the endpoint."""
        found = self.endpoints[name]
        found.pending = pending
        self._begin(found, status, lambda: None)

    def _created(self, made: Endpoint) -> None:
        made.counts = {} if self.fate == "fails" else self._counts(made.configuration)
        if self.fate == "fails":
            made.status, made.reason = "Failed", "The primary container did not pass the ping health check."

    def _updated(self, found: Endpoint, configuration: str, counts: dict[str, int]) -> None:
        if self.fate != "rolls back":
            found.configuration, found.counts = configuration, counts

    def _deleted(self, name: str) -> None:
        del self.endpoints[name]

    def _begin(self, found: Endpoint, status: str, becomes: Callable[[], None], seconds: float = 0) -> None:
        found.status, found.becomes, found.reason = status, becomes, ""
        found.until = self.clock.now() + (seconds or SECONDS.get(status, 60.0))

    def at_present(self, name: str) -> Endpoint | None:
        """What there is by now."""
        found = self.endpoints.get(name)
        if found and found.status in IN_TRANSITION and self.clock.now() >= found.until:
            found.status, found.pending = "InService", ""
            found.becomes()
        return self.endpoints.get(name)

    def _changeable(self, name: str, *, failed_too: bool = False) -> Endpoint:
        found = self.at_present(name) or self._missing("endpoint", name)
        if found.status in IN_TRANSITION:
            self.refuse("ValidationException", f'Cannot update in-progress endpoint "{_arn("endpoint", name)}".')
        if found.status == "Failed" and not failed_too:
            self.refuse("ValidationException", f'Cannot update endpoint "{_arn("endpoint", name)}" in Failed status.')
        return found

    def _check_scaling(self, found: Endpoint, configuration: str) -> None:
        before, after = self.machines(found.configuration), self.machines(configuration)
        for variant, machine in before.items():
            if self.is_scaled(f"endpoint/{found.name}/variant/{variant}") and after.get(variant) != machine:
                text = (
                    f"Variant {variant} is registered as a scalable target; deregister it to change its instance type."
                )
                self.refuse("ValidationException", text)

    def machines(self, configuration: str) -> dict[str, str]:
        """The instance type of each variant."""
        variants = self.configurations.get(configuration, {}).get("ProductionVariants", ())
        return {variant["VariantName"]: variant["InstanceType"] for variant in variants}

    def _counts(self, configuration: str) -> dict[str, int]:
        variants = self.configurations[configuration]["ProductionVariants"]
        return {variant["VariantName"]: variant["InitialInstanceCount"] for variant in variants}

    def _keep(self, where: dict[str, dict[str, Any]], kind: str, request: dict[str, Any], key: str) -> str:
        name = request[key]
        if name in where:
            self.refuse("ValidationException", f'Cannot create already existing {kind} "{_arn(kind, name)}".')
        arn = _arn(kind, name)
        self.tags[arn] = _tags(request)
        held = {name: value for name, value in request.items() if name != "Tags"}
        where[name] = {**held, key.replace("Name", "Arn"): arn, "CreationTime": self.clock.moment()}
        self.clock.sleep(0.5)
        return arn

    def _get(self, where: Mapping[str, dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
        if name not in where:
            self._missing(kind, name)
        return where[name]

    def _missing(self, kind: str, name: str) -> NoReturn:
        self.refuse("ValidationException", f'Could not find {kind} "{_arn(kind, name)}".')

    def _page(
        self, where: dict[str, dict[str, Any]], request: dict[str, Any], key: str, members: tuple[str, ...]
    ) -> dict[str, Any]:
        found = [resource for name, resource in where.items() if request.get("NameContains", "") in name]
        found.sort(key=lambda resource: resource["CreationTime"], reverse=request.get("SortOrder") == "Descending")
        start = int(request.get("NextToken", 0))
        entries = [
            {name: resource[name] for name in (*members, "CreationTime")}
            for resource in found[start : start + self.page]
        ]
        more = {"NextToken": str(start + self.page)} if len(found) > start + self.page else {}
        return {key: entries, **more}


def _tags(request: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())}


def _arn(kind: str, name: str) -> str:
    return f"{ACCOUNT}:{kind.replace('endpoint configuration', 'endpoint-config')}/{name}"
