"""Carries out the scaling policies and scheduled actions of all variants, and publishes their metrics."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.autoscaling.activity_log import ActivityLog
from pedigree.localaws.services.autoscaling.invocation_metrics import NAMESPACE, backlog_data, metric_data
from pedigree.localaws.services.autoscaling.scalable_target import DIMENSIONS, ScalableTarget
from pedigree.localaws.services.autoscaling.scheduled_actions import DueAction, ScheduledActions
from pedigree.localaws.services.autoscaling.target_tracking import (
    PolicyHistory,
    TrackingPolicy,
    combine,
    decide,
    outside,
)
from pedigree.localaws.services.cloudwatch.alarm_evaluator import AlarmEvaluator
from pedigree.localaws.services.cloudwatch.alarm_state import MetricStat
from pedigree.localaws.services.sagemaker.endpoints.endpoints import Endpoints
from pedigree.localaws.services.sagemaker.endpoints.metering import MINUTE, Meter
from pedigree.localaws.services.sagemaker.endpoints.resource import ENDPOINT

_LOG = logging.getLogger(__name__)
_PERIOD_SECONDS = 5.0
_SERVICE = "application-autoscaling"
_COOLDOWNS = {"out_cooldown": "ScaleOutCooldown", "in_cooldown": "ScaleInCooldown"}
_INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
_METRIC_NAMES = {
    _INVOCATIONS: "invocations an instance and minute",
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": "requests at a time and instance",
    "SageMakerVariantProvisionedConcurrencyUtilization": "of the provisioned concurrency",
}


class Scaler:
    """Scales all targets every few seconds, in a thread of its own."""

    def __init__(
        self, world: World, endpoints: Endpoints, meter: Meter, alarms: AlarmEvaluator, client: Callable[[str], Any]
    ) -> None:
        self._world = world
        self._endpoints = endpoints
        self._meter = meter
        self._alarms = alarms
        self._client = client
        self._actions = ScheduledActions(world.store, world.clock.now)
        self._activities = ActivityLog(world)
        self._histories: dict[str, PolicyHistory] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scaler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def scale_all(self) -> None:
        """Apply every policy once, publish the latest metrics, and evaluate all alarms."""
        for target in self._targets():
            try:
                self._apply_policies(self._apply_scheduled_actions(target))
            except (ClientError, ServiceError) as error:
                _LOG.warning("%s cannot be scaled now: %s", target.resource, error)
        self._publish_metrics()
        self._alarms.evaluate_all()

    def _run(self) -> None:
        while not self._stopped.wait(_PERIOD_SECONDS):
            try:
                self.scale_all()
            except (BotoCoreError, ClientError, ServiceError) as error:
                _LOG.warning("nothing can be scaled now: %s", error)
            except Exception:  # noqa: BLE001  # a bug must not end all scaling
                _LOG.exception("nothing can be scaled now")

    def _targets(self) -> list[ScalableTarget]:
        if not self._world.store.entries(ENDPOINT.kind):
            return []
        targets = self._pages("describe_scalable_targets", "ScalableTargets")
        return [ScalableTarget.parse(target) for target in targets if target["ScalableDimension"] in DIMENSIONS]

    def _pages(self, operation: str, member: str, **filters: str) -> Iterator[Mapping[str, Any]]:
        paginator = self._client(_SERVICE).get_paginator(operation)
        for page in paginator.paginate(ServiceNamespace="sagemaker", **filters):
            yield from page[member]

    def _apply_scheduled_actions(self, target: ScalableTarget) -> ScalableTarget:
        """Carry out the actions that are due, and return the target with its new limits."""
        if target.suspended.get("ScheduledScalingSuspended"):
            return target
        actions = self._pages("describe_scheduled_actions", "ScheduledActions", **_filters(target))
        for due in self._actions.due(actions):
            limits = self._register_limits(target, due)
            self._actions.mark_done(due)
            if limits is None:
                continue
            target = replace(
                target,
                min_capacity=limits.get("MinCapacity", target.min_capacity),
                max_capacity=limits.get("MaxCapacity", target.max_capacity),
            )
            self._enforce_limits(target, f"scheduled action name {due.action['ScheduledActionName']} was triggered")
        return target

    def _register_limits(self, target: ScalableTarget, due: DueAction) -> Mapping[str, int] | None:
        """Register the limits of a scheduled action, and return them, or None if the service refuses them."""
        action = due.action
        requested = action.get("ScalableTargetAction") or {}
        limits = {member: requested[member] for member in ("MinCapacity", "MaxCapacity") if member in requested}
        _LOG.info("scheduled action %s: %s", action["ScheduledActionName"], limits)
        client = self._client(_SERVICE)
        try:
            client.register_scalable_target(ServiceNamespace="sagemaker", **_filters(target), **limits)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            _LOG.warning("scheduled action %s is refused: %s", action["ScheduledActionName"], error)
            return None
        return limits

    def _apply_policies(self, target: ScalableTarget) -> None:
        capacity = self._capacity(target)
        if not capacity or self._enforce_limits(target):
            return
        policies = list(self._policies(target))
        now = self._world.clock.monotonic()
        keys = [f"{target.resource} {name}" for name, _, _ in policies]
        histories = [self._histories.get(key, PolicyHistory()) for key in keys]
        decisions = [
            decide(policy, load, capacity, history, now)
            for (_, policy, load), history in zip(policies, histories, strict=True)
        ]
        decision, histories = combine(decisions, histories, capacity)
        self._histories.update(zip(keys, histories, strict=True))
        if decision is not None:
            self._scale(target, decision.capacity, decision.cause)

    def _capacity(self, target: ScalableTarget) -> int:
        """Return a target's number of instances, or zero while it cannot be scaled."""
        endpoint = self._world.store.find(ENDPOINT.kind, target.endpoint)
        if endpoint is None or endpoint["EndpointStatus"] != "InService":
            return 0
        return self._endpoints.counts(target.endpoint).get(target.variant, 0)

    def _enforce_limits(self, target: ScalableTarget, cause: str = "") -> bool:
        """Scale a target into its limits, and return whether this was necessary."""
        capacity = self._capacity(target)
        allowed = min(max(capacity, target.min_capacity), target.max_capacity)
        if not capacity or allowed == capacity:
            return False
        self._scale(target, allowed, cause or outside(capacity, target.min_capacity, target.max_capacity))
        return True

    def _policies(self, target: ScalableTarget) -> Iterator[tuple[str, TrackingPolicy, float]]:
        """Yield the target tracking policies, by name, each with its current load."""
        for description in self._pages("describe_scaling_policies", "ScalingPolicies", **_filters(target)):
            tracking = description.get("TargetTrackingScalingPolicyConfiguration", {})
            metric = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", "")
            load = self._load(target, metric, tracking)
            if load is not None:
                yield description["PolicyName"], _tracking_policy(target, metric, tracking), load

    def _load(self, target: ScalableTarget, metric: str, tracking: Mapping[str, Any]) -> float | None:
        """Return the current load of all instances by a policy's metric, or None if it is unknown."""
        if metric == _INVOCATIONS:
            return self._meter.last_minute(target.endpoint, target.variant)
        if metric in _METRIC_NAMES:
            return self._meter.concurrent(target.endpoint, target.variant)
        custom = tracking.get("CustomizedMetricSpecification") or {}
        if "MetricName" not in custom:
            return None
        dimensions = frozenset((dimension["Name"], dimension["Value"]) for dimension in custom.get("Dimensions", ()))
        stat = MetricStat(custom["Namespace"], custom["MetricName"], dimensions, custom["Statistic"])
        value = self._alarms.metric_value(stat, MINUTE)
        return None if value is None else value * self._capacity(target)

    def _scale(self, target: ScalableTarget, capacity: int, cause: str) -> None:
        activity_id = self._activities.begin(target, capacity, cause)

        def on_done(failure: str) -> None:
            self._activities.finish(activity_id, target, capacity, failure)

        _LOG.info("%s: %d instances, because %s", target.resource, capacity, cause)
        self._endpoints.scale(target.endpoint, {target.variant: capacity}, on_done)

    def _publish_metrics(self) -> None:
        for (endpoint, variant), invocations in self._meter.drain().items():
            dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
            instances = self._endpoints.counts(endpoint).get(variant, 1) or 1
            data = list(metric_data(invocations, instances, dimensions, self._world.clock.now()))
            self._client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
        for endpoint, waiting in self._meter.backlogs().items():
            instances = sum(self._endpoints.counts(endpoint).values())
            data = list(backlog_data(endpoint, waiting, instances, self._world.clock.now()))
            self._client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)


def _filters(target: ScalableTarget) -> dict[str, str]:
    return {"ResourceId": target.resource, "ScalableDimension": target.dimension}


def _tracking_policy(target: ScalableTarget, metric: str, tracking: Mapping[str, Any]) -> TrackingPolicy:
    cooldowns = {argument: tracking[member] for argument, member in _COOLDOWNS.items() if member in tracking}
    is_in_suspended = target.suspended.get("DynamicScalingInSuspended", False)
    return TrackingPolicy(
        tracking["TargetValue"],
        target.min_capacity,
        target.max_capacity,
        **cooldowns,
        metric=_METRIC_NAMES.get(metric, "of the metric an instance"),
        may_scale_out=not target.suspended.get("DynamicScalingOutSuspended", False),
        may_scale_in=not (tracking.get("DisableScaleIn") or is_in_suspended),
    )
