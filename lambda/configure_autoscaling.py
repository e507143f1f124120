"""Makes Application Auto Scaling keep an endpoint's instances between two bounds, by invocations per instance.

It reads what is registered, writes what differs, and reads again, so that it reports what AWS has. Equal bounds mean no
scaling: the variant is deregistered, and gets that number of instances.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared import endpoint as endpoints
from shared.aws import Aws, AwsCall, TimeBudget, retry_until_done
from shared.endpoint import DIMENSION, IN_SERVICE, EndpointState, resource_id
from shared.errors import EventError, FunctionError, RefusedError, RetryableError
from shared.event import Event
from shared.log import Log

OUTCOME_SCALING = "scaling"
OUTCOME_FIXED = "fixed"
OUTCOME_NOT_APPROVED = "not-approved"
METRIC = "SageMakerVariantInvocationsPerInstance"  # per minute
POLICY = "SageMakerEndpointInvocationScalingPolicy"  # the only name whose values SageMaker's console shows
_BURSTABLE = re.compile(r"ml\.t\d")
_MAX_TRIES = 3
_REMEDY = "retry the execution when the endpoint is InService"


@dataclass(frozen=True)
class ScalingRequest:
    """The requested bounds, and the target of invocations per instance and minute."""

    endpoint: str
    variant: str
    minimum: int
    maximum: int
    policy: Mapping[str, Any]

    @property
    def target(self) -> dict[str, str]:
        """The variant's identifiers in Application Auto Scaling."""
        return {**DIMENSION, "ResourceId": resource_id(self.endpoint, self.variant)}


@dataclass(frozen=True)
class ScalingState:
    """The endpoint, its instance type, and what is registered for the variant."""

    endpoint: EndpointState | None
    instance_type: str = ""
    bounds: tuple[int, int] | None = None
    policies: tuple[Mapping[str, Any], ...] = ()


def handler(event: Mapping[str, Any], context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    return configure(event, Aws(), TimeBudget.of(context), Log.of("configure_autoscaling", context))


def configure(event: Mapping[str, Any], aws: Aws, budget: TimeBudget, log: Log) -> dict[str, str]:
    """Scales the variant of an event, or sets a fixed count; a version that was not deployed is left alone."""
    try:
        if Event(event).text("outcome") == OUTCOME_NOT_APPROVED:
            log.info("leaves the endpoint alone: the version is not approved")
            return {"outcome": OUTCOME_NOT_APPROVED}
        request = _parse_request(Event(event))
        retry_until_done(lambda: _attempt(request, aws, log), budget, _REMEDY)
    except FunctionError as error:
        log.error(str(error))
        raise
    outcome = OUTCOME_FIXED if request.minimum == request.maximum else OUTCOME_SCALING
    log.info("verified", outcome=outcome, endpoint=request.endpoint, least=request.minimum, most=request.maximum)
    return {"outcome": outcome}


def _parse_request(event: Event) -> ScalingRequest:
    minimum, maximum, target = (
        event.integer("min_capacity"),
        event.integer("max_capacity"),
        event.number("target_invocations"),
    )
    if not 1 <= minimum <= maximum:
        raise EventError(
            f"an endpoint cannot scale from {minimum} to {maximum} instances",
            "use at least 1, and a maximum that is not smaller",
        )
    if target <= 0:
        raise EventError(
            f"target_invocations = {target:g} is not a target",
            "use the number of invocations that an instance can take in a minute",
        )
    policy = {
        "TargetValue": target,
        "PredefinedMetricSpecification": {"PredefinedMetricType": METRIC},
        "ScaleInCooldown": event.integer("scale_in_cooldown"),
        "ScaleOutCooldown": event.integer("scale_out_cooldown"),
        "DisableScaleIn": False,
    }
    return ScalingRequest(event.text("endpoint_name"), event.text("variant_name"), minimum, maximum, policy)


def _attempt(request: ScalingRequest, aws: Aws, log: Log) -> None:
    """Writes what differs, and checks that no difference is left."""
    state = read_state(request, aws)
    calls = tuple(plan_calls(request, state))
    if calls and state.endpoint is not None and state.endpoint.is_in_transition:
        log.info("waits", endpoint=request.endpoint, status=state.endpoint.status)
        raise RetryableError(f"endpoint {request.endpoint} is {state.endpoint.status}, and does not scale until then")
    for call in calls:
        log.info("calls", operation=call.operation, service=call.service, endpoint=request.endpoint)
        _execute(call, aws)
    if calls and tuple(plan_calls(request, read_state(request, aws))):
        raise RetryableError(f"the scaling of endpoint {request.endpoint} is written but not visible yet")


def _execute(call: AwsCall, aws: Aws) -> None:
    """Makes a call; retries a refusal a few times, as an update of the endpoint may just have started."""
    try:
        aws.execute(call)
    except RefusedError as refusal:
        if refusal.code != "ValidationException":
            raise
        raise RetryableError(str(refusal), refusal, _MAX_TRIES) from refusal


def read_state(request: ScalingRequest, aws: Aws) -> ScalingState:
    """Reads the endpoint and what is registered for the variant."""
    endpoint = endpoints.find(aws, request.endpoint)
    if endpoint is None:
        return ScalingState(None)
    configuration = aws.find("sagemaker", "describe_endpoint_config", EndpointConfigName=endpoint.configuration) or {}
    types = {
        entry["VariantName"]: entry.get("InstanceType", "") for entry in configuration.get("ProductionVariants", ())
    }
    ids = {**DIMENSION, "ResourceIds": [request.target["ResourceId"]]}
    targets = list(aws.paginate("application-autoscaling", "describe_scalable_targets", "ScalableTargets", **ids))
    policies = aws.paginate("application-autoscaling", "describe_scaling_policies", "ScalingPolicies", **request.target)
    return ScalingState(
        endpoint=endpoint,
        instance_type=types.get(request.variant, ""),
        bounds=next(((entry["MinCapacity"], entry["MaxCapacity"]) for entry in targets), None),
        policies=tuple(policies) if targets else (),
    )


def plan_calls(request: ScalingRequest, state: ScalingState) -> Iterator[AwsCall]:
    """Yields the calls that are needed; none if everything is as requested."""
    endpoint = state.endpoint
    if endpoint is None:
        raise RefusedError(f"there is no endpoint {request.endpoint}", "run DeployEndpoint first")
    if not endpoint.is_in_transition and endpoint.status != IN_SERVICE:
        raise RefusedError(
            f"endpoint {endpoint.name} is {endpoint.status} ({endpoint.reason or 'no reason given'})", "deploy again"
        )
    if request.variant not in endpoint.counts and not endpoint.is_in_transition:
        served = ", ".join(endpoint.counts)
        raise RefusedError(
            f"endpoint {endpoint.name} has no variant {request.variant}, but {served}", "see endpoint.variant"
        )
    yield from (
        _plan_fixed_count(request, state, endpoint)
        if request.minimum == request.maximum
        else _plan_scaling(request, state)
    )


def _plan_fixed_count(request: ScalingRequest, state: ScalingState, endpoint: EndpointState) -> Iterator[AwsCall]:
    if state.bounds:
        yield AwsCall("application-autoscaling", "deregister_scalable_target", request.target)
    if endpoint.counts.get(request.variant) != request.minimum:
        desired = [{"VariantName": request.variant, "DesiredInstanceCount": request.minimum}]
        arguments = {"EndpointName": request.endpoint, "DesiredWeightsAndCapacities": desired}
        yield AwsCall("sagemaker", "update_endpoint_weights_and_capacities", arguments)


def _plan_scaling(request: ScalingRequest, state: ScalingState) -> Iterator[AwsCall]:
    if _BURSTABLE.match(state.instance_type):
        raise RefusedError(
            f"endpoint {request.endpoint} runs on {state.instance_type}, which is burstable: "
            "Application Auto Scaling refuses that",
            "use ml.m5.large or the like, or the same minimum and maximum",
        )
    if state.bounds != (request.minimum, request.maximum):
        bounds = {"MinCapacity": request.minimum, "MaxCapacity": request.maximum}
        yield AwsCall("application-autoscaling", "register_scalable_target", {**request.target, **bounds})
    # Two policies cannot track one metric, so the existing one is changed, even if it has another name.
    name, current = next(
        ((entry["PolicyName"], _target_tracking(entry)) for entry in state.policies if _tracks_invocations(entry)),
        (POLICY, {}),
    )
    if not all(_is_equal(current.get(key), value) for key, value in request.policy.items()):
        policy = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": request.policy}
        yield AwsCall("application-autoscaling", "put_scaling_policy", {**request.target, "PolicyName": name, **policy})


def _target_tracking(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    current: Mapping[str, Any] = policy.get("TargetTrackingScalingPolicyConfiguration", {})
    return {"DisableScaleIn": False, **current}


def _tracks_invocations(policy: Mapping[str, Any]) -> bool:
    return bool(_target_tracking(policy).get("PredefinedMetricSpecification", {}).get("PredefinedMetricType") == METRIC)


def _is_equal(current: object, desired: object) -> bool:
    if isinstance(current, (int, float)) and isinstance(desired, (int, float)):
        return math.isclose(current, desired)
    return current == desired
