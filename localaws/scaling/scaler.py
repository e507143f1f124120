"""Follows the scaling policies of all variants, and tells CloudWatch what was asked of them."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localaws.endpoints.endpoints import ENDPOINT, Endpoints
from localaws.protocol.errors import ServiceError
from localaws.scaling.metering import Asked, Meter
from localaws.scaling.tracking import Past, Policy, decide
from localaws.world import World

ACTIVITY = "scaling-activity"
_LOG = logging.getLogger(__name__)
_PERIOD_SECONDS = 5.0
_MOST_VALUES = 150
_NAMESPACE = "AWS/SageMaker"
_TRACKED = "SageMakerVariantInvocationsPerInstance"
_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_MICROSECONDS = 1e6
_COOLDOWNS = {"out_cooldown": "ScaleOutCooldown", "in_cooldown": "ScaleInCooldown"}


class Scaler:
    """A thread that looks every few seconds."""

    def __init__(self, world: World, endpoints: Endpoints, meter: Meter, client: Callable[[str], Any]) -> None:
        self._world = world
        self._endpoints = endpoints
        self._meter = meter
        self._client = client
        self._past: dict[str, Past] = {}
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
        """Follow every policy once, and tell CloudWatch what has come since the last time."""
        for target in self._targets():
            self._follow(target)
        self._publish()

    def _work(self) -> None:
        while not self._over.wait(_PERIOD_SECONDS):
            try:
                self.look()
            except (BotoCoreError, ClientError, ServiceError) as error:
                _LOG.warning("scaling has to wait: %s", error)

    def _targets(self) -> list[Mapping[str, Any]]:
        if not self._world.store.entries(ENDPOINT):
            return []
        told = self._client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
        return [one for one in told["ScalableTargets"] if one["ScalableDimension"] == _DIMENSION]

    def _follow(self, target: Mapping[str, Any]) -> None:
        resource = target["ResourceId"]
        _, endpoint, _, variant = resource.split("/")
        body, count = self._world.store.find(ENDPOINT, endpoint), self._endpoints.counts(endpoint).get(variant)
        if body is None or body["EndpointStatus"] != "InService" or not count:
            return
        for policy in self._policies(target):
            invocations = self._meter.last_minute(endpoint, variant)
            past, now = self._past.get(resource, Past()), self._world.clock.monotonic()
            decision = decide(policy, invocations, count, past, now)
            self._past[resource] = decision.past
            if decision.count != count:
                self._scale(endpoint, variant, decision.count, decision.cause)
                return

    def _policies(self, target: Mapping[str, Any]) -> Iterator[Policy]:
        told = self._client("application-autoscaling").describe_scaling_policies(
            ServiceNamespace="sagemaker", ResourceId=target["ResourceId"]
        )
        for one in told["ScalingPolicies"]:
            tracking = one.get("TargetTrackingScalingPolicyConfiguration", {})
            if tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType") == _TRACKED:
                known = {argument: tracking[member] for argument, member in _COOLDOWNS.items() if member in tracking}
                yield Policy(tracking["TargetValue"], target["MinCapacity"], target["MaxCapacity"], **known)

    def _scale(self, endpoint: str, variant: str, count: int, cause: str) -> None:
        """Have so many instances, and keep that it was done and why."""
        moment = self._world.now()
        name = str(uuid.uuid4())
        activity = {
            "ActivityId": name,
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{endpoint}/variant/{variant}",
            "ScalableDimension": _DIMENSION,
            "Description": f"Setting desired instance count to {count}.",
            "Cause": cause,
            "StartTime": moment,
            "StatusCode": "Successful",
            "StatusMessage": f"Successfully set desired instance count to {count}.",
        }
        self._endpoints.scale(endpoint, {variant: count}, lambda _failure: None)
        self._world.store.put(ACTIVITY, name, {**activity, "EndTime": self._world.now()})
        _LOG.info("%s %s: %d instances, as %s", endpoint, variant, count, cause)

    def _publish(self) -> None:
        for (endpoint, variant), asked in self._meter.drain().items():
            dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
            count = self._endpoints.counts(endpoint).get(variant, 1) or 1
            metrics = list(_metrics(asked, count, dimensions, self._world.clock.now()))
            self._client("cloudwatch").put_metric_data(Namespace=_NAMESPACE, MetricData=metrics)


def _metrics(
    asked: list[Asked], instances: int, dimensions: list[dict[str, str]], moment: dt.datetime
) -> Iterator[dict[str, Any]]:
    sums = {
        "Invocations": float(len(asked)),
        "InvocationsPerInstance": len(asked) / instances,
        "Invocation4XXErrors": float(sum(one.is_client_error for one in asked)),
        "Invocation5XXErrors": float(sum(one.is_server_error for one in asked)),
    }
    for name, value in sums.items():
        yield {"MetricName": name, "Dimensions": dimensions, "Timestamp": moment, "Value": value, "Unit": "None"}
    latencies = {
        "ModelLatency": [one.model_seconds * _MICROSECONDS for one in asked],
        "OverheadLatency": [one.overhead_seconds * _MICROSECONDS for one in asked],
    }
    for name, values in latencies.items():
        told = {"MetricName": name, "Dimensions": dimensions, "Timestamp": moment, "Unit": "Microseconds"}
        yield {**told, "Values": values[-_MOST_VALUES:]}
