"""Application Auto Scaling for variants of endpoints."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

from tests.support.fakes.clients import FakeService
from tests.support.fakes.hosting import Hosting


@dataclass
class Scaling(FakeService):
    """Scalable targets and their policies, by resource id."""

    hosting: Hosting
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    forgets: bool = False  # what is written does not show
    refusal: str = ""  # why nothing can be registered

    def register_scalable_target(self, request: dict[str, Any]) -> dict[str, Any]:
        current = self.targets.get(request["ResourceId"], {})
        updated = {**current, **request}
        machine = self._machine(request["ResourceId"])
        if self.refusal:
            self._invalid(self.refusal)
        if re.match(r"ml\.t\d", machine):
            self._invalid(f"You cannot register a variant with {machine} instance type as a scalable target.")
        if updated["MinCapacity"] > updated["MaxCapacity"]:
            self._invalid("Minimum capacity cannot be greater than maximum capacity")
        self.targets[request["ResourceId"]] = updated
        return {"ScalableTargetARN": "arn:aws:application-autoscaling:us-east-1:123456789012:scalable-target/1"}

    def deregister_scalable_target(self, request: dict[str, Any]) -> None:
        self._need_target(request["ResourceId"])
        del self.targets[request["ResourceId"]]
        self.policies = {key: policy for key, policy in self.policies.items() if key[0] != request["ResourceId"]}

    def describe_scalable_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"ScalableTargets": [target for name, target in self.targets.items() if name in request["ResourceIds"]]}

    def put_scaling_policy(self, request: dict[str, Any]) -> dict[str, Any]:
        self._need_target(request["ResourceId"])
        key, metric = (request["ResourceId"], request["PolicyName"]), _metric(request)
        if any(
            _metric(policy) == metric for other, policy in self.policies.items() if other != key and other[0] == key[0]
        ):
            self._invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed.")
        self.policies[key] = request
        return {"PolicyARN": f"arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:{request['PolicyName']}"}

    def describe_scaling_policies(self, request: dict[str, Any]) -> dict[str, Any]:
        shown = {} if self.forgets else self.policies
        return {"ScalingPolicies": [policy for key, policy in shown.items() if key[0] == request["ResourceId"]]}

    def _machine(self, resource: str) -> str:
        _, name, _, variant = resource.split("/")
        endpoint = self.hosting.at_present(name)
        if endpoint is None or endpoint.status != "InService" or variant not in endpoint.counts:
            self._invalid(f"Endpoint {name} is not InService or has no variant {variant}.")
        return self.hosting.machines(endpoint.configuration)[variant]

    def _need_target(self, resource: str) -> None:
        if resource not in self.targets:
            text = f"No scalable target registered for service namespace: sagemaker, resource ID: {resource}"
            self.refuse("ObjectNotFoundException", text)

    def _invalid(self, message: str) -> NoReturn:
        self.refuse("ValidationException", message)


def _metric(policy: dict[str, Any]) -> str:
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    return str(tracking["PredefinedMetricSpecification"]["PredefinedMetricType"])
