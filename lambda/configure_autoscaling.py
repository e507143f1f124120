"""Lets Application Auto Scaling keep an endpoint's instances between two bounds, by how much each of them is asked.

It looks at what is registered, writes what differs, and looks again: what it reports is what AWS says. As many
instances at least as at most is no scaling: the variant is taken off, and has that many.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared import endpoint as endpoints
from shared.aws import Aws, Call, Patience, until_settled
from shared.endpoint import DIMENSION, IN_SERVICE, Endpoint, resource_id
from shared.errors import EventError, FunctionError, NotYetError, RefusedError
from shared.event import Event
from shared.log import Log

OUTCOME_SCALING = "scaling"
OUTCOME_FIXED = "fixed"
OUTCOME_NOT_APPROVED = "not-approved"
METRIC = "SageMakerVariantInvocationsPerInstance"  # a minute
POLICY = "SageMakerEndpointInvocationScalingPolicy"  # the one name that SageMaker's console shows the values of
_BURSTABLE = re.compile(r"ml\.t\d")
_TRIES = 3
_REMEDY = "retry the execution when the endpoint is InService"


@dataclass(frozen=True)
class Asked:
    """The bounds, and how many invocations an instance takes in a minute."""

    endpoint: str
    variant: str
    least: int
    most: int
    policy: Mapping[str, Any]

    @property
    def target(self) -> dict[str, str]:
        """What Application Auto Scaling knows the variant by."""
        return {**DIMENSION, "ResourceId": resource_id(self.endpoint, self.variant)}


@dataclass(frozen=True)
class Seen:
    """The endpoint, its machines, and what is registered for the variant."""

    endpoint: Endpoint | None
    instance_type: str = ""
    bounds: tuple[int, int] | None = None
    policies: tuple[Mapping[str, Any], ...] = ()


def handler(event: Mapping[str, Any], context: Any) -> dict[str, str]:
    """What Lambda calls."""
    return configure(event, Aws(), Patience.of(context), Log.of("configure_autoscaling", context))


def configure(event: Mapping[str, Any], aws: Aws, patience: Patience, log: Log) -> dict[str, str]:
    """Scale the variant of an event, or fix it; the outcome says which. What was not deployed is left alone."""
    try:
        if Event(event).text("outcome") == OUTCOME_NOT_APPROVED:
            log.info("leaves the endpoint alone: the version is not approved")
            return {"outcome": OUTCOME_NOT_APPROVED}
        asked = _read(Event(event))
        until_settled(lambda: _turn(asked, aws, log), patience, _REMEDY)
    except FunctionError as error:
        log.error(str(error))
        raise
    outcome = OUTCOME_FIXED if asked.least == asked.most else OUTCOME_SCALING
    log.info("verified", outcome=outcome, endpoint=asked.endpoint, least=asked.least, most=asked.most)
    return {"outcome": outcome}


def _read(event: Event) -> Asked:
    least, most, target = event.whole("min_capacity"), event.whole("max_capacity"), event.number("target_invocations")
    if not 1 <= least <= most:
        raise EventError(
            f"an endpoint cannot scale from {least} to {most} instances; start with 1 or more to at least that"
        )
    if target <= 0:
        raise EventError(
            f"target_invocations = {target:g} is no target; start with how many a minute one instance takes"
        )
    policy = {
        "TargetValue": target,
        "PredefinedMetricSpecification": {"PredefinedMetricType": METRIC},
        "ScaleInCooldown": event.whole("scale_in_cooldown"),
        "ScaleOutCooldown": event.whole("scale_out_cooldown"),
        "DisableScaleIn": False,
    }
    return Asked(event.text("endpoint_name"), event.text("variant_name"), least, most, policy)


def _turn(asked: Asked, aws: Aws, log: Log) -> None:
    """Write what differs, and see that nothing differs any more."""
    seen = look(asked, aws)
    calls = tuple(decide(asked, seen))
    if calls and seen.endpoint is not None and seen.endpoint.is_moving:
        log.info("waits", endpoint=asked.endpoint, status=seen.endpoint.status)
        raise NotYetError(f"endpoint {asked.endpoint} is {seen.endpoint.status}, and does not scale meanwhile")
    for call in calls:
        log.info("calls", operation=call.operation, service=call.service, endpoint=asked.endpoint)
        _make(call, aws)
    if calls and tuple(decide(asked, look(asked, aws))):
        raise NotYetError(f"what was written about the scaling of endpoint {asked.endpoint} does not show yet")


def _make(call: Call, aws: Aws) -> None:
    """Make a call; a refusal may be about an update that has begun since, so it is tried a few times."""
    try:
        aws.make(call)
    except RefusedError as refusal:
        if refusal.code != "ValidationException":
            raise
        raise NotYetError(str(refusal), refusal, _TRIES) from refusal


def look(asked: Asked, aws: Aws) -> Seen:
    """What is there."""
    endpoint = endpoints.find(aws, asked.endpoint)
    if endpoint is None:
        return Seen(None)
    configuration = aws.find("sagemaker", "describe_endpoint_config", EndpointConfigName=endpoint.configuration) or {}
    types = {one["VariantName"]: one.get("InstanceType", "") for one in configuration.get("ProductionVariants", ())}
    ids = {**DIMENSION, "ResourceIds": [asked.target["ResourceId"]]}
    targets = list(aws.each("application-autoscaling", "describe_scalable_targets", "ScalableTargets", **ids))
    policies = aws.each("application-autoscaling", "describe_scaling_policies", "ScalingPolicies", **asked.target)
    return Seen(
        endpoint=endpoint,
        instance_type=types.get(asked.variant, ""),
        bounds=next(((one["MinCapacity"], one["MaxCapacity"]) for one in targets), None),
        policies=tuple(policies) if targets else (),
    )


def decide(asked: Asked, seen: Seen) -> Iterator[Call]:
    """The calls that follow; none where all is as it was asked for."""
    endpoint = seen.endpoint
    if endpoint is None:
        raise RefusedError(f"there is no endpoint {asked.endpoint}; let DeployEndpoint make it first")
    if not endpoint.is_moving and endpoint.status != IN_SERVICE:
        raise RefusedError(
            f"endpoint {endpoint.name} is {endpoint.status} ({endpoint.reason or 'no reason given'}); deploy again"
        )
    if asked.variant not in endpoint.counts and not endpoint.is_moving:
        served = ", ".join(endpoint.counts)
        raise RefusedError(
            f"endpoint {endpoint.name} has no variant {asked.variant}, but {served}; see endpoint.variant"
        )
    yield from _fixed(asked, seen, endpoint) if asked.least == asked.most else _scaling(asked, seen)


def _fixed(asked: Asked, seen: Seen, endpoint: Endpoint) -> Iterator[Call]:
    if seen.bounds:
        yield Call("application-autoscaling", "deregister_scalable_target", asked.target)
    if endpoint.counts.get(asked.variant) != asked.least:
        wanted = [{"VariantName": asked.variant, "DesiredInstanceCount": asked.least}]
        names = {"EndpointName": asked.endpoint, "DesiredWeightsAndCapacities": wanted}
        yield Call("sagemaker", "update_endpoint_weights_and_capacities", names)


def _scaling(asked: Asked, seen: Seen) -> Iterator[Call]:
    if _BURSTABLE.match(seen.instance_type):
        raise RefusedError(
            f"endpoint {asked.endpoint} runs on {seen.instance_type}, which is burstable, and Application Auto Scaling "
            "refuses those; use ml.m5.large or the like, or as many instances at most as at least"
        )
    if seen.bounds != (asked.least, asked.most):
        bounds = {"MinCapacity": asked.least, "MaxCapacity": asked.most}
        yield Call("application-autoscaling", "register_scalable_target", {**asked.target, **bounds})
    # Two policies cannot track one metric: the one that does is changed, whoever named it.
    name, found = next(((one["PolicyName"], _tracking(one)) for one in seen.policies if _tracks(one)), (POLICY, {}))
    if not all(_same(found.get(key), value) for key, value in asked.policy.items()):
        policy = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": asked.policy}
        yield Call("application-autoscaling", "put_scaling_policy", {**asked.target, "PolicyName": name, **policy})


def _tracking(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = policy.get("TargetTrackingScalingPolicyConfiguration", {})
    return {"DisableScaleIn": False, **found}


def _tracks(policy: Mapping[str, Any]) -> bool:
    return bool(_tracking(policy).get("PredefinedMetricSpecification", {}).get("PredefinedMetricType") == METRIC)


def _same(found: object, wanted: object) -> bool:
    if isinstance(found, (int, float)) and isinstance(wanted, (int, float)):
        return math.isclose(found, wanted)
    return found == wanted
