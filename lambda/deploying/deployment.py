"""What a version needs to be served: the requests for its model, its configuration, its update and its alarms.

A model and a configuration cannot be changed, so each deployment has its own pair, under one name that is made from
what they hold: an attempt that is repeated finds what an earlier one left.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.event import Event

# Which configuration an endpoint had before the one with this tag: what a rollback goes back to.
TAG_PREVIOUS = "pedigree:previous"
_LONGEST_KEY = 40
_DIGITS = 10
_TRAFFIC = {"all-at-once": "ALL_AT_ONCE", "canary": "CANARY", "linear": "LINEAR"}
_SIZES = {"canary": "CanarySize", "linear": "LinearStepSize"}


@dataclass(frozen=True)
class Serving:
    """What to serve and how, ready for requests; the name is that of the model and of the configuration."""

    package: str
    endpoint: str
    variant: str
    instance_type: str
    name: str
    model: Mapping[str, Any]
    configuration: Mapping[str, Any]
    update: Mapping[str, Any]
    alarms: tuple[Mapping[str, Any], ...]
    foreign_alarms: tuple[str, ...]
    tags: Mapping[str, str]


def read(event: Event) -> Serving:
    """What an event asks for."""
    package, endpoint, variant = (
        event.text("model_package_arn"),
        event.text("endpoint_name"),
        event.text("variant_name"),
    )
    tags = {key: str(value) for key, value in event.table("tags").items()}
    model, configuration = _model(event), _configuration(event)
    alarms, foreign = _alarms(event, tags), tuple(event.listing("extra_alarms"))
    held = [package, event.text("execution_id"), model, configuration, tags]
    return Serving(
        package=package,
        endpoint=endpoint,
        variant=variant,
        instance_type=event.text("instance_type"),
        name=name(endpoint, package, held),
        model=model,
        configuration=configuration,
        update=_update(event, [*(alarm["AlarmName"] for alarm in alarms), *foreign]),
        alarms=alarms,
        foreign_alarms=foreign,
        tags=tags,
    )


def name(endpoint: str, package: str, held: object) -> str:
    """The name of a deployment: whose it is, of which version, and a digest of what it holds."""
    version = package.rpartition("/")[2]
    return f"{_key(endpoint)}-v{version if version.isdigit() else 0}-{_digest([endpoint, held])}"


def is_of(endpoint: str, found: str) -> bool:
    """Whether a name was made for an endpoint."""
    return re.fullmatch(rf"{re.escape(common(endpoint))}\d+-[0-9a-f]{{{_DIGITS}}}", found) is not None


def common(endpoint: str) -> str:
    """How all names made for an endpoint begin."""
    return f"{_key(endpoint)}-v"


def alarm_names(endpoint: str) -> tuple[str, str]:
    """The alarms that a deployment makes: on errors, on latency."""
    return f"{endpoint}-rollback-on-errors", f"{endpoint}-rollback-on-latency"


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as requests have them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _key(endpoint: str) -> str:
    if len(endpoint) <= _LONGEST_KEY:
        return endpoint
    return f"{endpoint[: _LONGEST_KEY - _DIGITS - 1].rstrip('-')}-{_digest(endpoint)}"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:_DIGITS]


def _model(event: Event) -> dict[str, Any]:
    subnets, groups = event.listing("subnets"), event.listing("security_groups")
    return {
        "PrimaryContainer": {"ModelPackageName": event.text("model_package_arn")},
        "ExecutionRoleArn": event.text("model_role_arn"),
        "EnableNetworkIsolation": event.flag("network_isolation"),
        **({"VpcConfig": {"Subnets": subnets, "SecurityGroupIds": groups}} if subnets else {}),
    }


def _configuration(event: Event) -> dict[str, Any]:
    """All but the names: those of the configuration and of its model are made from this."""
    variant = {
        "VariantName": event.text("variant_name"),
        "InstanceType": event.text("instance_type"),
        "InitialInstanceCount": event.whole("instance_count"),
        "InitialVariantWeight": 1.0,
    }
    volume_key = event.optional("volume_key")
    return {
        "ProductionVariants": [variant],
        **({"DataCaptureConfig": _capture(event)} if event.whole("capture_percent") else {}),
        **({"KmsKeyId": volume_key} if volume_key else {}),
    }


def _capture(event: Event) -> dict[str, Any]:
    key = event.optional("output_key")
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": event.whole("capture_percent"),
        "DestinationS3Uri": event.text("capture_uri"),
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        **({"KmsKeyId": key} if key else {}),
    }


def _update(event: Event, alarms: list[str]) -> dict[str, Any]:
    policy = event.text("traffic_policy")
    size = {"Type": "CAPACITY_PERCENT", "Value": event.whole("traffic_step_percent")}
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": _TRAFFIC.get(policy, policy),
                "WaitIntervalInSeconds": event.whole("traffic_wait_seconds"),
                **({_SIZES[policy]: size} if policy in _SIZES else {}),
            },
            "TerminationWaitInSeconds": event.whole("termination_wait_seconds"),
            "MaximumExecutionTimeoutInSeconds": event.whole("update_timeout_seconds"),
        },
        **({"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": one} for one in alarms]}} if alarms else {}),
    }


def _alarms(event: Event, tags: Mapping[str, str]) -> tuple[Mapping[str, Any], ...]:
    """The alarms that settings ask for; 0 is none."""
    endpoint, variant = event.text("endpoint_name"), event.text("variant_name")
    on_errors, on_latency = alarm_names(endpoint)
    percent, milliseconds = event.number("alarm_5xx_percent"), event.number("alarm_latency_milliseconds")
    failing = f"More than {percent:g} % of a minute's invocations fail"
    slow = f"A tenth of a minute's answers takes more than {milliseconds:g} ms"
    wanted = (
        (on_errors, percent, failing, _error_rate(endpoint, variant)),
        (on_latency, milliseconds * 1000, slow, _slow(endpoint, variant)),
    )
    return tuple(
        {
            "AlarmName": name,
            "AlarmDescription": f"{text}: an update of endpoint {endpoint} is rolled back.",
            "Metrics": metrics,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": limit,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "TreatMissingData": "notBreaching",
            "Tags": tag_list(tags),
        }
        for name, limit, text, metrics in wanted
        if limit
    )


def _error_rate(endpoint: str, variant: str) -> list[dict[str, Any]]:
    """Failed invocations in percent: no invocations, no failures."""
    rate = "IF(invocations > 0, 100 * errors / invocations, 0)"
    return [
        {"Id": "rate", "Expression": rate, "Label": "errors in percent", "ReturnData": True},
        _metric("errors", "Invocation5XXErrors", "Sum", endpoint, variant, returned=False),
        _metric("invocations", "Invocations", "Sum", endpoint, variant, returned=False),
    ]


def _slow(endpoint: str, variant: str) -> list[dict[str, Any]]:
    """What nine in ten answers stay below, in microseconds: a single slow one is no reason to go back."""
    return [_metric("latency", "ModelLatency", "p90", endpoint, variant, returned=True)]


def _metric(id_: str, metric: str, statistic: str, endpoint: str, variant: str, *, returned: bool) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    return {
        "Id": id_,
        "MetricStat": {
            "Metric": {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions},
            "Period": 60,
            "Stat": statistic,
        },
        "ReturnData": returned,
    }
