"""Follows the scaling policies and scheduled actions of all variants, and tells CloudWatch what was asked of them."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.autoscaling.invocation_metrics import NAMESPACE, metrics
from pedigree.localaws.services.autoscaling.scheduled_actions import ScheduledActions
from pedigree.localaws.services.autoscaling.target_tracking import (
    PolicyHistory,
    TrackingPolicy,
    combined,
    decide,
    outside,
)
from pedigree.localaws.services.cloudwatch.alarm_evaluator import AlarmEvaluator
from pedigree.localaws.services.cloudwatch.alarm_state import MetricStat
from pedigree.localaws.services.sagemaker.endpoints.endpoints import Endpoints
from pedigree.localaws.services.sagemaker.endpoints.metering import MINUTE, Meter
from pedigree.localaws.services.sagemaker.endpoints.resource import ENDPOINT

ACTIVITY = "scaling-activity"
_LOG = logging.getLogger(__name__)
_PERIOD_SECONDS = 5.0
_FIRST_SERVER_FAULT = 500
_SCALING = "application-autoscaling"
_DIMENSIONS = ("sagemaker:variant:DesiredInstanceCount", "sagemaker:variant:DesiredProvisionedConcurrency")
_COOLDOWNS = {"out_cooldown": "ScaleOutCooldown", "in_cooldown": "ScaleInCooldown"}
_INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
_CALLED = {
    _INVOCATIONS: "invocations an instance and minute",
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": "requests at a time and instance",
    "SageMakerVariantProvisionedConcurrencyUtilization": "of the provisioned concurrency",
}


@dataclass(frozen=True)
class ScalableTarget:
    """A variant that is scaled, between so few and so many instances; suspended: what is left alone meanwhile."""

    resource: str
    dimension: str
    least: int
    most: int
    suspended: Mapping[str, bool]

    @property
    def endpoint(self) -> str:
        """The endpoint."""
        return self.resource.split("/")[1]

    @property
    def variant(self) -> str:
        """Its variant."""
        return self.resource.split("/")[3]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> ScalableTarget:
        """A target as the service describes it."""
        bounds = int(told["MinCapacity"]), int(told["MaxCapacity"])
        return cls(told["ResourceId"], told["ScalableDimension"], *bounds, told.get("SuspendedState") or {})


class Scaler:
    """A thread that looks every few seconds."""

    def __init__(
        self, world: World, endpoints: Endpoints, meter: Meter, watch: AlarmEvaluator, client: Callable[[str], Any]
    ) -> None:
        self._world = world
        self._endpoints = endpoints
        self._meter = meter
        self._watch = watch
        self._client = client
        self._actions = ScheduledActions(world.store, world.clock.now)
        self._past: dict[str, PolicyHistory] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="scaler", daemon=True)

    def begin(self) -> None:
        """Start to look."""
        self._thread.start()

    def end(self) -> None:
        """Stop looking."""
        self._over.set()
        self._thread.join()

    def look(self) -> None:
        """Follow every policy once, tell CloudWatch what has come since the last time, and let alarms look at it."""
        for target in self._targets():
            try:
                self._follow(self._scheduled(target))
            except (ClientError, ServiceError) as error:
                _LOG.warning("scaling of %s has to wait: %s", target.resource, error)
        self._publish()
        self._watch.look()

    def _work(self) -> None:
        while not self._over.wait(_PERIOD_SECONDS):
            try:
                self.look()
            except (BotoCoreError, ClientError, ServiceError) as error:
                _LOG.warning("scaling has to wait: %s", error)
            except Exception:  # noqa: BLE001  # a bug in here must not end all scaling
                _LOG.exception("scaling has to wait")

    def _targets(self) -> list[ScalableTarget]:
        if not self._world.store.entries(ENDPOINT.kind):
            return []
        told = self._pages("describe_scalable_targets", "ScalableTargets")
        return [ScalableTarget.of(one) for one in told if one["ScalableDimension"] in _DIMENSIONS]

    def _pages(self, operation: str, key: str, **asked: str) -> Iterator[Mapping[str, Any]]:
        for page in self._client(_SCALING).get_paginator(operation).paginate(ServiceNamespace="sagemaker", **asked):
            yield from page[key]

    def _scheduled(self, target: ScalableTarget) -> ScalableTarget:
        """A target after the scheduled actions that are due."""
        if target.suspended.get("ScheduledScalingSuspended"):
            return target
        asked = {"ResourceId": target.resource, "ScalableDimension": target.dimension}
        for due in self._actions.due(self._pages("describe_scheduled_actions", "ScheduledActions", **asked)):
            action = due.action
            wanted = action.get("ScalableTargetAction") or {}
            bounds = {member: wanted[member] for member in ("MinCapacity", "MaxCapacity") if member in wanted}
            _LOG.info("scheduled action %s: %s", action["ScheduledActionName"], bounds)
            try:
                self._client(_SCALING).register_scalable_target(ServiceNamespace="sagemaker", **asked, **bounds)
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] >= _FIRST_SERVER_FAULT:
                    raise
                _LOG.warning("scheduled action %s is refused: %s", action["ScheduledActionName"], error)
                self._actions.note(due)
                continue
            self._actions.note(due)
            least, most = bounds.get("MinCapacity", target.least), bounds.get("MaxCapacity", target.most)
            target = ScalableTarget(target.resource, target.dimension, least, most, target.suspended)
            self._bound(target, f"scheduled action name {action['ScheduledActionName']} was triggered")
        return target

    def _follow(self, target: ScalableTarget) -> None:
        count = self._count(target)
        if not count or self._bound(target):
            return
        policies = list(self._policies(target))
        now = self._world.clock.monotonic()
        keys = [f"{target.resource} {name}" for name, _, _ in policies]
        pasts = [self._past.get(key, PolicyHistory()) for key in keys]
        decisions = [
            decide(policy, load, count, past, now) for (_, policy, load), past in zip(policies, pasts, strict=True)
        ]
        wanted, known = combined(decisions, pasts, count)
        self._past.update(zip(keys, known, strict=True))
        if wanted is not None:
            self._scale(target, wanted.count, wanted.cause)

    def _count(self, target: ScalableTarget) -> int:
        """How many instances a target has; none while it is not to be scaled."""
        body = self._world.store.find(ENDPOINT.kind, target.endpoint)
        if body is None or body["EndpointStatus"] != "InService":
            return 0
        return self._endpoints.counts(target.endpoint).get(target.variant, 0)

    def _bound(self, target: ScalableTarget, cause: str = "") -> bool:
        """Have no fewer and no more instances than a target allows; whether anything was to be done."""
        count = self._count(target)
        within = min(max(count, target.least), target.most)
        if not count or within == count:
            return False
        self._scale(target, within, cause or outside(count, target.least, target.most))
        return True

    def _policies(self, target: ScalableTarget) -> Iterator[tuple[str, TrackingPolicy, float]]:
        """The policies that are tracked, by name, each with the load that it is about."""
        asked = {"ResourceId": target.resource, "ScalableDimension": target.dimension}
        for one in self._pages("describe_scaling_policies", "ScalingPolicies", **asked):
            tracking = one.get("TargetTrackingScalingPolicyConfiguration", {})
            kind = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", "")
            load = self._load(target, kind, tracking)
            if load is None:
                continue
            known = {argument: tracking[member] for argument, member in _COOLDOWNS.items() if member in tracking}
            policy = TrackingPolicy(
                tracking["TargetValue"],
                target.least,
                target.most,
                **known,
                called=_CALLED.get(kind, "of the metric an instance"),
                may_go_out=not target.suspended.get("DynamicScalingOutSuspended", False),
                may_go_in=not (
                    tracking.get("DisableScaleIn") or target.suspended.get("DynamicScalingInSuspended", False)
                ),
            )
            yield one["PolicyName"], policy, load

    def _load(self, target: ScalableTarget, kind: str, tracking: Mapping[str, Any]) -> float | None:
        """What is asked of a target now, as a policy counts it; None if nobody knows."""
        if kind == _INVOCATIONS:
            return self._meter.last_minute(target.endpoint, target.variant)
        if kind in _CALLED:
            return self._meter.concurrent(target.endpoint, target.variant)
        custom = tracking.get("CustomizedMetricSpecification") or {}
        if "MetricName" not in custom:
            return None
        dimensions = frozenset((one["Name"], one["Value"]) for one in custom.get("Dimensions", ()))
        series = MetricStat(custom["Namespace"], custom["MetricName"], dimensions, custom["Statistic"])
        told = self._watch.number(series, MINUTE)
        return None if told is None else told * self._count(target)

    def _scale(self, target: ScalableTarget, count: int, cause: str) -> None:
        """Have so many instances, and keep that it was done, why, and what came of it."""
        name = str(uuid.uuid4())
        what = "instance count" if target.dimension == _DIMENSIONS[0] else "provisioned concurrency"
        begun = {
            "ActivityId": name,
            "ServiceNamespace": "sagemaker",
            "ResourceId": target.resource,
            "ScalableDimension": target.dimension,
            "Description": f"Setting desired {what} to {count}.",
            "Cause": cause,
            "StartTime": self._world.now(),
            "StatusCode": "InProgress",
        }
        self._world.store.put(ACTIVITY, name, begun)

        def done(failure: str) -> None:
            told = (
                f"Failed to set desired {what} to {count}: {failure}"
                if failure
                else f"Successfully set desired {what} to {count}."
            )
            status = "Failed" if failure else "Successful"
            ended: Document = {"StatusCode": status, "StatusMessage": told, "EndTime": self._world.now()}
            self._world.store.update(ACTIVITY, name, lambda before: {**before, **ended})

        _LOG.info("%s: %d instances, as %s", target.resource, count, cause)
        self._endpoints.scale(target.endpoint, {target.variant: count}, done)

    def _publish(self) -> None:
        for (endpoint, variant), asked in self._meter.drain().items():
            dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
            count = self._endpoints.counts(endpoint).get(variant, 1) or 1
            told = list(metrics(asked, count, dimensions, self._world.clock.now()))
            self._client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=told)
