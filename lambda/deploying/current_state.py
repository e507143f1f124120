"""Reads the state of the account before a deployment, as far as decisions depend on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploying.deployment import Deployment
from shared import endpoint as endpoints
from shared.aws import Aws
from shared.endpoint import DIMENSION, EndpointState, resource_id


@dataclass(frozen=True)
class CurrentState:
    """The state before a deployment."""

    endpoint: EndpointState | None
    package: Mapping[str, Any] = field(default_factory=dict)  # the response of DescribeModelPackage
    served_package: str = ""  # the version that the endpoint serves or will serve
    instance_types: Mapping[str, str] = field(default_factory=dict)  # by variant that is served
    scaled: tuple[str, ...] = ()  # variants that are registered for scaling
    has_model: bool = False
    configuration_arn: str = ""
    missing_alarms: tuple[str, ...] = ()  # alarms of settings that do not exist


def read_state(deployment: Deployment, aws: Aws, *, with_served_package: bool) -> CurrentState:
    """Reads only what the next decision needs; the version that is served only on request."""
    package = aws.call("sagemaker", "describe_model_package", ModelPackageName=deployment.package)
    if package.get("ModelApprovalStatus") != "Approved":
        return CurrentState(None, package)
    endpoint = endpoints.find(aws, deployment.endpoint)
    served_package = (
        _served_package(endpoint, aws)
        if with_served_package and endpoint and not endpoint.is_failed_or_deleting
        else ""
    )
    if endpoint is not None and endpoint.is_in_transition:
        return CurrentState(endpoint, package, served_package)
    own_configuration = aws.find("sagemaker", "describe_endpoint_config", EndpointConfigName=deployment.name)
    return CurrentState(
        endpoint=endpoint,
        package=package,
        served_package=served_package,
        instance_types=_instance_types(endpoint, aws) if endpoint else {},
        scaled=_scaled(endpoint.name, {*endpoint.counts, deployment.variant}, aws) if endpoint else (),
        has_model=aws.find("sagemaker", "describe_model", ModelName=deployment.name) is not None,
        configuration_arn=str(own_configuration["EndpointConfigArn"]) if own_configuration else "",
        missing_alarms=_missing_alarms(deployment.extra_alarms, aws),
    )


def _served_package(endpoint: EndpointState, aws: Aws) -> str:
    configuration = (
        aws.find("sagemaker", "describe_endpoint_config", EndpointConfigName=endpoint.target_configuration) or {}
    )
    variants = configuration.get("ProductionVariants", ())
    models = (aws.find("sagemaker", "describe_model", ModelName=variant["ModelName"]) or {} for variant in variants)
    return next((str(model.get("PrimaryContainer", {}).get("ModelPackageName", "")) for model in models), "")


def _instance_types(endpoint: EndpointState, aws: Aws) -> dict[str, str]:
    configuration = aws.find("sagemaker", "describe_endpoint_config", EndpointConfigName=endpoint.configuration) or {}
    return {
        variant["VariantName"]: variant.get("InstanceType", "")
        for variant in configuration.get("ProductionVariants", ())
    }


def _scaled(endpoint: str, variants: Iterable[str], aws: Aws) -> tuple[str, ...]:
    by_id = {resource_id(endpoint, variant): variant for variant in sorted(variants)}
    arguments = {**DIMENSION, "ResourceIds": list(by_id)}
    targets = aws.paginate("application-autoscaling", "describe_scalable_targets", "ScalableTargets", **arguments)
    return tuple(by_id[target["ResourceId"]] for target in targets)


def _missing_alarms(names: tuple[str, ...], aws: Aws) -> tuple[str, ...]:
    if not names:
        return ()
    kinds = ["MetricAlarm", "CompositeAlarm"]
    answer = aws.call("cloudwatch", "describe_alarms", AlarmNames=list(names), AlarmTypes=kinds)
    existing = {alarm["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in answer.get(kind, ())}
    return tuple(name for name in names if name not in existing)
