"""Takes an endpoint back to an earlier configuration.

A deployment tags its configuration with the name of the one before, so going back needs no memory of ours. Traffic
moves at once and no alarm is watched: the version that is left often caused the alarms, which would undo the rollback.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from entrypoints import contract
from pedigree.account import endpoint as endpoints
from pedigree.account.account import Account
from pedigree.account.endpoint import DIMENSION, IN_SERVICE, Configuration, Endpoint, scaling_target
from pedigree.account.errors import AbsentError, CallRefusedError, UnfinishedError
from pedigree.account.plan import ApiCall, Change
from pedigree.language.near import suggest
from pipeline.settings.tree import Settings
from steps.functions import live_name, queue_name

_BEGINNING_SECONDS = 120  # an update that has not begun by then was refused
_METRIC = "SageMakerVariantInvocationsPerInstance"


@dataclass(frozen=True)
class Rollback:
    """The present and the earlier configuration, and the scaling to restore, as events of the autoscaling function."""

    endpoint: Endpoint
    live: Configuration
    target: Configuration
    scaling: tuple[Mapping[str, Any], ...] = ()
    is_under_way: bool = False


def plan(account: Account, settings: Settings, name: str, to: str = "") -> Rollback:
    """The rollback; raises RefusedError if there is nothing to go back to."""
    endpoint = endpoints.find(account, name)
    if endpoint.is_moving and (not to or endpoint.heading_for != to):
        raise CallRefusedError(
            f"endpoint {name} is {endpoint.status}, with configuration {endpoint.heading_for}",
            f"wait until it is {IN_SERVICE} (`pedigree endpoint-status` shows its state)",
        )
    if endpoint.status == "Failed":
        raise CallRefusedError(
            f"endpoint {name} has failed and takes no updates ({endpoint.reason or 'no reason given'})",
            "`pedigree start` deploys it anew",
        )
    live = _existing(account, endpoint.configuration, name)
    target = _existing(account, to or _previous(account, live), name)
    if endpoint.is_moving:
        return Rollback(endpoint, live, target, is_under_way=True)
    if target.name == live.name:
        raise CallRefusedError(f"endpoint {name} serves configuration {target.name} already", "--to names another")
    if not target.has_models:
        raise CallRefusedError(f"configuration {target.name} is still there and its model is not", "--to names another")
    return Rollback(endpoint, live, target, tuple(_in_the_way(account, settings, name, live, target)))


def change(settings: Settings, rollback: Rollback) -> Change:
    """The calls of a rollback; none if it is under way already.

    Scaling that blocks the update is restored however the update ends, even if this process ends before: the message
    that causes it is sent first, and received when the update has begun.
    """
    name, live, target = rollback.endpoint.name, rollback.live, rollback.target
    same = live.variants.keys() == target.variants.keys()
    update = {
        "EndpointName": name,
        "EndpointConfigName": target.name,
        "RetainAllVariantProperties": same,  # scaling may have raised the number of instances
        **({"ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DataCaptureConfig"}]} if same else {}),
    }
    variants = [event[contract.VARIANT_NAME] for event in rollback.scaling]
    calls = (
        *(_message(settings, rollback, event) for event in rollback.scaling),
        *(
            ApiCall("application-autoscaling", "deregister_scalable_target", _target(name, variant))
            for variant in variants
        ),
        ApiCall("sagemaker", "update_endpoint", update),
    )
    why = (
        f"from {live.name}: {live.described()}",
        f"to   {target.name}: {target.described()}",
        *(
            f"its machine changes, so the scaling of {variant} is taken off, and comes back afterwards"
            for variant in variants
        ),
    )
    return Change("update", "endpoint", name, () if rollback.is_under_way else calls, why)


def watched(account: Account, rollback: Rollback) -> Callable[[], Endpoint]:
    """Returns the function that reads the endpoint during a rollback; it raises UnfinishedError on failure."""
    name, wanted = rollback.endpoint.name, rollback.target.name

    def read() -> Endpoint:
        endpoint = endpoints.find(account, name)
        if endpoint.is_moving or is_done(endpoint, rollback):
            return endpoint
        state = f"endpoint {name} is {endpoint.status} with {endpoint.configuration}, not with {wanted}"
        raise UnfinishedError(
            f"{state}: {endpoint.reason or 'no reason given'}", f"see the log group /aws/sagemaker/Endpoints/{name}"
        )

    return read


def is_done(endpoint: Endpoint, rollback: Rollback) -> bool:
    """Whether the endpoint serves the earlier configuration: after a failed update it is InService, too."""
    return endpoint.status == IN_SERVICE and endpoint.configuration == rollback.target.name


def _previous(account: Account, live: Configuration) -> str:
    tags = account.each("sagemaker", "list_tags", "Tags", ResourceArn=live.arn)
    previous = next((tag["Value"] for tag in tags if tag["Key"] == contract.TAG_PREVIOUS), "")
    if not previous:
        raise CallRefusedError(
            f"configuration {live.name} is the first of the endpoint, or the pipeline did not make it: "
            "there is nothing to go back to",
            "name a configuration with --to",
        )
    return str(previous)


def _existing(account: Account, name: str, endpoint: str) -> Configuration:
    configuration = endpoints.configuration(account, name)
    if configuration is None:
        arguments = {"NameContains": endpoint, "SortBy": "CreationTime", "SortOrder": "Descending"}
        names = [
            listed["EndpointConfigName"]
            for listed in account.each("sagemaker", "list_endpoint_configs", "EndpointConfigs", **arguments)
        ]
        hint = suggest(name, names, f"there are {', '.join(names)}" if names else "there is none")
        raise AbsentError(f"there is no configuration {name}", hint)
    return configuration


def _in_the_way(
    account: Account, settings: Settings, name: str, live: Configuration, target: Configuration
) -> Iterator[Mapping[str, Any]]:
    """The scaling of variants that change their machine, which SageMaker refuses while they scale."""
    resources = {
        scaling_target(name, variant): variant
        for variant, served in live.variants.items()
        if variant not in target.variants or target.variants[variant].instance_type != served.instance_type
    }
    if not resources:
        return
    query = {"ResourceIds": list(resources), **DIMENSION}
    for scalable in account.each("application-autoscaling", "describe_scalable_targets", "ScalableTargets", **query):
        tracking, chosen = _tracking(account, scalable["ResourceId"]), settings.autoscaling
        yield {
            contract.ENDPOINT_NAME: name,
            contract.VARIANT_NAME: resources[scalable["ResourceId"]],
            contract.MIN_CAPACITY: scalable["MinCapacity"],
            contract.MAX_CAPACITY: scalable["MaxCapacity"],
            contract.TARGET_INVOCATIONS: tracking.get("TargetValue", chosen.target_invocations_per_minute),
            contract.SCALE_IN_COOLDOWN: tracking.get("ScaleInCooldown", chosen.scale_in_cooldown_seconds),
            contract.SCALE_OUT_COOLDOWN: tracking.get("ScaleOutCooldown", chosen.scale_out_cooldown_seconds),
        }


def _target(endpoint: str, variant: str) -> dict[str, str]:
    return {**DIMENSION, "ResourceId": scaling_target(endpoint, variant)}


def _tracking(account: Account, resource: str) -> Mapping[str, Any]:
    """The policy that the autoscaling function wrote, if there is one."""
    policies = account.each(
        "application-autoscaling", "describe_scaling_policies", "ScalingPolicies", ResourceId=resource, **DIMENSION
    )
    configurations = (policy.get("TargetTrackingScalingPolicyConfiguration", {}) for policy in policies)
    ours = (
        tracking
        for tracking in configurations
        if tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType") == _METRIC
    )
    return next(ours, {})


def _message(settings: Settings, rollback: Rollback, event: Mapping[str, Any]) -> ApiCall:
    """The message that makes await_endpoint restore the scaling when the update has ended."""
    pipeline = settings.pipeline.name
    arguments = {
        contract.OUTCOME: contract.OUTCOME_BUSY,
        contract.ENDPOINT_NAME: rollback.endpoint.name,
        contract.ENDPOINT_CONFIG_NAME: rollback.target.name,
        contract.NEXT_FUNCTION: live_name(pipeline, "autoscale"),
        contract.NEXT_EVENT: event,
    }
    sent = {
        "QueueUrl": settings.site.queue_url(queue_name(pipeline)),
        "MessageBody": json.dumps({"token": "", "arguments": arguments}, sort_keys=True),
        "DelaySeconds": _BEGINNING_SECONDS,
    }
    return ApiCall("sqs", "send_message", sent)
