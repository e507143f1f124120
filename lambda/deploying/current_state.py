"""What there is before a deployment, as far as it matters for what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploying.deployment import Serving
from shared import endpoint as endpoints
from shared.aws import Aws
from shared.endpoint import DIMENSION, Endpoint, resource_id


@dataclass(frozen=True)
class Seen:
    """What is there, as far as it matters for what to do."""

    endpoint: Endpoint | None
    package: Mapping[str, Any] = field(default_factory=dict)  # of the registry, as it is described
    served_package: str = ""  # the version that the endpoint serves or is about to
    instance_types: Mapping[str, str] = field(default_factory=dict)  # of each variant that is served
    scaled: tuple[str, ...] = ()  # the variants that are registered for scaling
    has_model: bool = False
    configuration_arn: str = ""
    missing_alarms: tuple[str, ...] = ()  # those of settings that do not exist


def look(serving: Serving, aws: Aws, *, served_too: bool) -> Seen:
    """What is there: only what the next decision needs is asked for, the version that is served only where asked."""
    package = aws.ask("sagemaker", "describe_model_package", ModelPackageName=serving.package)
    if package.get("ModelApprovalStatus") != "Approved":
        return Seen(None, package)
    endpoint = endpoints.find(aws, serving.endpoint)
    served_package = _served_package(endpoint, aws) if served_too and endpoint and not endpoint.is_lost else ""
    if endpoint is not None and endpoint.is_moving:
        return Seen(endpoint, package, served_package)
    own = aws.find("sagemaker", "describe_endpoint_config", EndpointConfigName=serving.name)
    return Seen(
        endpoint=endpoint,
        package=package,
        served_package=served_package,
        instance_types=_instance_types(endpoint, aws) if endpoint else {},
        scaled=_scaled(endpoint.name, {*endpoint.counts, serving.variant}, aws) if endpoint else (),
        has_model=aws.find("sagemaker", "describe_model", ModelName=serving.name) is not None,
        configuration_arn=str(own["EndpointConfigArn"]) if own else "",
        missing_alarms=_missing_alarms(serving.foreign_alarms, aws),
    )


def _served_package(endpoint: Endpoint, aws: Aws) -> str:
    configuration = aws.find("sagemaker", "describe_endpoint_config", EndpointConfigName=endpoint.heading_for) or {}
    variants = configuration.get("ProductionVariants", ())
    models = (aws.find("sagemaker", "describe_model", ModelName=one["ModelName"]) or {} for one in variants)
    return next((str(model.get("PrimaryContainer", {}).get("ModelPackageName", "")) for model in models), "")


def _instance_types(endpoint: Endpoint, aws: Aws) -> dict[str, str]:
    configuration = aws.find("sagemaker", "describe_endpoint_config", EndpointConfigName=endpoint.configuration) or {}
    return {one["VariantName"]: one.get("InstanceType", "") for one in configuration.get("ProductionVariants", ())}


def _scaled(endpoint: str, variants: Iterable[str], aws: Aws) -> tuple[str, ...]:
    by_id = {resource_id(endpoint, variant): variant for variant in sorted(variants)}
    arguments = {**DIMENSION, "ResourceIds": list(by_id)}
    targets = aws.each("application-autoscaling", "describe_scalable_targets", "ScalableTargets", **arguments)
    return tuple(by_id[target["ResourceId"]] for target in targets)


def _missing_alarms(names: tuple[str, ...], aws: Aws) -> tuple[str, ...]:
    if not names:
        return ()
    kinds = ["MetricAlarm", "CompositeAlarm"]
    answer = aws.ask("cloudwatch", "describe_alarms", AlarmNames=list(names), AlarmTypes=kinds)
    found = {alarm["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in answer.get(kind, ())}
    return tuple(name for name in names if name not in found)
