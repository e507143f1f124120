"""Reports on an endpoint: its versions, instances, scaling and alarms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pedigree.account.account import Account
from pedigree.account.endpoint import (
    DIMENSION,
    Configuration,
    Endpoint,
    ServedVariant,
    configuration,
    find,
    scaling_target,
)

_ACTIVITIES = 5


@dataclass(frozen=True)
class ScalingPolicy:
    """A scaling policy: a metric and its target."""

    name: str
    metric: str
    target: float | None
    in_seconds: int | None
    out_seconds: int | None
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scaling:
    """The bounds of a variant's instances, and its scaling policies."""

    least: int
    most: int
    policies: tuple[ScalingPolicy, ...]


@dataclass(frozen=True)
class InstanceCounts:
    """A variant's instances, present and desired, and what they serve."""

    variant: str
    version: str
    instance_type: str
    now: int
    desired: int
    scaling: Scaling | None


@dataclass(frozen=True)
class ScalingActivity:
    """One scaling activity."""

    at: dt.datetime
    status: str
    description: str
    cause: str


@dataclass(frozen=True)
class AlarmStatus:
    """An alarm that scales the endpoint, or rolls its updates back."""

    name: str
    state: str
    since: dt.datetime | None
    reason: str


@dataclass(frozen=True)
class Report:
    """An endpoint at one moment; next_configuration is that of a running update."""

    name: str
    status: str
    configuration: str
    next_configuration: str
    reason: str
    changed: dt.datetime | None
    fleets: tuple[InstanceCounts, ...]
    activities: tuple[ScalingActivity, ...]
    alarms: tuple[AlarmStatus, ...]


def report(account: Account, name: str) -> Report:
    """The report on an endpoint."""
    endpoint = find(account, name)
    live = configuration(account, endpoint.configuration)
    scaling = _scaling(account, endpoint)
    policies = [policy for variant in scaling.values() for policy in variant.policies]
    return Report(
        name=name,
        status=endpoint.status,
        configuration=endpoint.configuration,
        next_configuration=endpoint.heading_for if endpoint.heading_for != endpoint.configuration else "",
        reason=endpoint.reason,
        changed=endpoint.changed,
        fleets=tuple(_fleet(variant, live, scaling) for variant in endpoint.variants),
        activities=tuple(activity for variant in scaling for activity in _activities(account, endpoint, variant)),
        alarms=_alarms(account, (*endpoint.rollback_alarms, *(name for policy in policies for name in policy.alarms))),
    )


def _fleet(answer: Mapping[str, Any], live: Configuration | None, scaling: Mapping[str, Scaling]) -> InstanceCounts:
    name = answer["VariantName"]
    served = (live.variants if live else {}).get(name, ServedVariant(name, "", ""))
    return InstanceCounts(
        variant=name,
        version=served.version if served.model else "",
        instance_type=served.instance_type,
        now=answer.get("CurrentInstanceCount", 0),
        desired=answer.get("DesiredInstanceCount", 0),
        scaling=scaling.get(name),
    )


def _scaling(account: Account, endpoint: Endpoint) -> dict[str, Scaling]:
    """The scaling of each variant that is registered for it."""
    resources = {
        scaling_target(endpoint.name, variant["VariantName"]): variant["VariantName"] for variant in endpoint.variants
    }
    if not resources:
        return {}
    targets = account.each(
        "application-autoscaling",
        "describe_scalable_targets",
        "ScalableTargets",
        ResourceIds=list(resources),
        **DIMENSION,
    )
    return {
        resources[target["ResourceId"]]: Scaling(
            target["MinCapacity"], target["MaxCapacity"], tuple(_policies(account, target["ResourceId"]))
        )
        for target in targets
    }


def _policies(account: Account, resource: str) -> Iterable[ScalingPolicy]:
    for policy in account.each(
        "application-autoscaling", "describe_scaling_policies", "ScalingPolicies", ResourceId=resource, **DIMENSION
    ):
        tracking = policy.get("TargetTrackingScalingPolicyConfiguration", {})
        metric = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
        yield ScalingPolicy(
            name=policy["PolicyName"],
            metric=metric or tracking.get("CustomizedMetricSpecification", {}).get("MetricName", policy["PolicyType"]),
            target=tracking.get("TargetValue"),
            in_seconds=tracking.get("ScaleInCooldown"),
            out_seconds=tracking.get("ScaleOutCooldown"),
            alarms=tuple(alarm["AlarmName"] for alarm in policy.get("Alarms", ())),
        )


def _activities(account: Account, endpoint: Endpoint, variant: str) -> Iterable[ScalingActivity]:
    resource = scaling_target(endpoint.name, variant)
    activities = account.each(
        "application-autoscaling", "describe_scaling_activities", "ScalingActivities", ResourceId=resource, **DIMENSION
    )
    for activity in islice(activities, _ACTIVITIES):
        yield ScalingActivity(
            activity["StartTime"],
            activity["StatusCode"],
            activity["Description"],
            activity.get("StatusMessage") or activity["Cause"],
        )


def _alarms(account: Account, names: Iterable[str]) -> tuple[AlarmStatus, ...]:
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return ()
    kinds = ["MetricAlarm", "CompositeAlarm"]
    answer = account.call("cloudwatch", "describe_alarms", AlarmNames=wanted, AlarmTypes=kinds)
    alarms = {alarm["AlarmName"]: alarm for kind in kinds for alarm in answer.get(f"{kind}s", ())}
    return tuple(_alarm(name, alarms.get(name, {})) for name in wanted)


def _alarm(name: str, answer: Mapping[str, Any]) -> AlarmStatus:
    reason = " ".join(answer.get("StateReason", "").split())
    return AlarmStatus(name, answer.get("StateValue", "is not there"), answer.get("StateUpdatedTimestamp"), reason)
