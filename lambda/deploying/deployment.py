"""The requests that deploy a version: for its model, its endpoint configuration, the update and the alarms.

Models and configurations are immutable, so each deployment has its own pair, under one name made from a hash of their
content: a repeated attempt finds what an earlier one left.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.event import Event

# A tag on a configuration with the name of the one before it, for a rollback.
TAG_PREVIOUS = "pedigree:previous"
_MAX_KEY = 40
_DIGITS = 10
_TRAFFIC = {"all-at-once": "ALL_AT_ONCE", "canary": "CANARY", "linear": "LINEAR"}
_SIZES = {"canary": "CanarySize", "linear": "LinearStepSize"}


@dataclass(frozen=True)
class Deployment:
    """What to deploy and how; the name is that of the model and of the configuration."""

    package: str
    endpoint: str
    variant: str
    instance_type: str
    name: str
    model: Mapping[str, Any]
    configuration: Mapping[str, Any]
    update: Mapping[str, Any]
    alarms: tuple[Mapping[str, Any], ...]
    extra_alarms: tuple[str, ...]
    tags: Mapping[str, str]


def parse_deployment(event: Event) -> Deployment:
    """Parses the deployment of an event."""
    package, endpoint, variant = (
        event.text("model_package_arn"),
        event.text("endpoint_name"),
        event.text("variant_name"),
    )
    tags = {key: str(value) for key, value in event.json_object("tags").items()}
    model, configuration = _model(event), _configuration(event)
    alarms, extra = _alarms(event, tags), tuple(event.string_list("extra_alarms"))
    content = [package, event.text("execution_id"), model, configuration, tags]
    return Deployment(
        package=package,
        endpoint=endpoint,
        variant=variant,
        instance_type=event.text("instance_type"),
        name=name(endpoint, package, content),
        model=model,
        configuration=configuration,
        update=_update(event, [*(alarm["AlarmName"] for alarm in alarms), *extra]),
        alarms=alarms,
        extra_alarms=extra,
        tags=tags,
    )


def name(endpoint: str, package: str, content: object) -> str:
    """Returns the name of a deployment: the endpoint, the version, and a digest of its content."""
    version = package.rpartition("/")[2]
    return f"{_key(endpoint)}-v{version if version.isdigit() else 0}-{_digest([endpoint, content])}"


def belongs_to(endpoint: str, name_found: str) -> bool:
    """Returns whether a name was made for an endpoint."""
    return re.fullmatch(rf"{re.escape(name_prefix(endpoint))}\d+-[0-9a-f]{{{_DIGITS}}}", name_found) is not None


def name_prefix(endpoint: str) -> str:
    """Returns the prefix of all names made for an endpoint."""
    return f"{_key(endpoint)}-v"


def alarm_names(endpoint: str) -> tuple[str, str]:
    """Returns the names of the alarms of a deployment: for errors and for latency."""
    return f"{endpoint}-rollback-on-errors", f"{endpoint}-rollback-on-latency"


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Returns tags in the format of requests."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _key(endpoint: str) -> str:
    if len(endpoint) <= _MAX_KEY:
        return endpoint
    return f"{endpoint[: _MAX_KEY - _DIGITS - 1].rstrip('-')}-{_digest(endpoint)}"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:_DIGITS]


def _model(event: Event) -> dict[str, Any]:
    subnets, groups = event.string_list("subnets"), event.string_list("security_groups")
    return {
        "PrimaryContainer": {"ModelPackageName": event.text("model_package_arn")},
        "ExecutionRoleArn": event.text("model_role_arn"),
        "EnableNetworkIsolation": event.boolean("network_isolation"),
        **({"VpcConfig": {"Subnets": subnets, "SecurityGroupIds": groups}} if subnets else {}),
    }


def _configuration(event: Event) -> dict[str, Any]:
    """Returns the configuration without names, which are made from a hash of this."""
    variant = {
        "VariantName": event.text("variant_name"),
        "InstanceType": event.text("instance_type"),
        "InitialInstanceCount": event.integer("instance_count"),
        "InitialVariantWeight": 1.0,
    }
    volume_key = event.optional_text("volume_key")
    return {
        "ProductionVariants": [variant],
        **({"DataCaptureConfig": _capture(event)} if event.integer("capture_percent") else {}),
        **({"KmsKeyId": volume_key} if volume_key else {}),
    }


def _capture(event: Event) -> dict[str, Any]:
    key = event.optional_text("output_key")
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": event.integer("capture_percent"),
        "DestinationS3Uri": event.text("capture_uri"),
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        **({"KmsKeyId": key} if key else {}),
    }


def _update(event: Event, alarms: list[str]) -> dict[str, Any]:
    policy = event.text("traffic_policy")
    size = {"Type": "CAPACITY_PERCENT", "Value": event.integer("traffic_step_percent")}
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": _TRAFFIC.get(policy, policy),
                "WaitIntervalInSeconds": event.integer("traffic_wait_seconds"),
                **({_SIZES[policy]: size} if policy in _SIZES else {}),
            },
            "TerminationWaitInSeconds": event.integer("termination_wait_seconds"),
            "MaximumExecutionTimeoutInSeconds": event.integer("update_timeout_seconds"),
        },
        **(
            {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm_name} for alarm_name in alarms]}}
            if alarms
            else {}
        ),
    }


def _alarms(event: Event, tags: Mapping[str, str]) -> tuple[Mapping[str, Any], ...]:
    """Returns the alarms of settings; a limit of 0 means no alarm."""
    endpoint, variant = event.text("endpoint_name"), event.text("variant_name")
    on_errors, on_latency = alarm_names(endpoint)
    percent, milliseconds = event.number("alarm_5xx_percent"), event.number("alarm_latency_milliseconds")
    failing_description = f"More than {percent:g} % of a minute's invocations fail"
    slow_description = f"A tenth of a minute's answers takes more than {milliseconds:g} ms"
    candidates = (
        (on_errors, percent, failing_description, _error_rate(endpoint, variant)),
        (on_latency, milliseconds * 1000, slow_description, _latency_metric(endpoint, variant)),
    )
    return tuple(
        {
            "AlarmName": name,
            "AlarmDescription": f"{description}: an update of endpoint {endpoint} is rolled back.",
            "Metrics": metrics,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": threshold,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "TreatMissingData": "notBreaching",
            "Tags": tag_list(tags),
        }
        for name, threshold, description, metrics in candidates
        if threshold
    )


def _error_rate(endpoint: str, variant: str) -> list[dict[str, Any]]:
    """Returns the metrics of the error rate in percent; no invocations means no errors."""
    rate = "IF(invocations > 0, 100 * errors / invocations, 0)"
    return [
        {"Id": "rate", "Expression": rate, "Label": "errors in percent", "ReturnData": True},
        _metric("errors", "Invocation5XXErrors", "Sum", endpoint, variant, returned=False),
        _metric("invocations", "Invocations", "Sum", endpoint, variant, returned=False),
    ]


def _latency_metric(endpoint: str, variant: str) -> list[dict[str, Any]]:
    """Returns the metric of the p90 latency in microseconds: a single slow response must not roll back."""
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
