"""Reads an endpoint: its status, its configurations, and the model versions that they serve."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pedigree.account.account import Account
from pedigree.account.errors import AbsentError

IN_SERVICE = "InService"
# SageMaker is changing it; the status changes without another call.
MOVING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
DIMENSION = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}


@dataclass(frozen=True)
class Endpoint:
    """One endpoint; its variants are as AWS answers them."""

    name: str
    status: str
    configuration: str
    heading_for: str
    reason: str = ""
    changed: dt.datetime | None = None
    variants: tuple[Mapping[str, Any], ...] = ()
    rollback_alarms: tuple[str, ...] = ()

    @property
    def is_moving(self) -> bool:
        """Whether it is in transition, and can only be asked again later."""
        return self.status in MOVING


@dataclass(frozen=True)
class ServedVariant:
    """One variant of a configuration: machine, model, and the model's version in the registry."""

    name: str
    instance_type: str
    model: str
    package: str = ""

    @property
    def version(self) -> str:
        """The version's number, or the model's name if it is not from the registry."""
        number = self.package.rpartition("/")[2]
        return f"version {number}" if number else f"model {self.model}"


@dataclass(frozen=True)
class Configuration:
    """An endpoint configuration; has_models says whether all its models still exist."""

    name: str
    arn: str
    variants: Mapping[str, ServedVariant] = field(default_factory=dict)
    has_models: bool = True

    def described(self) -> str:
        """What it serves, in one line."""
        return ", ".join(
            f"{variant.version} on {variant.instance_type or 'serverless'}" for variant in self.variants.values()
        )


def find(account: Account, name: str) -> Endpoint:
    """The endpoint of a name; raises AbsentError if there is none."""
    answer = account.find("sagemaker", "describe_endpoint", EndpointName=name)
    if answer is None:
        raise AbsentError(
            f"account {account.id} has no endpoint {name} in {account.region}",
            "the first execution that passes its quality gate makes it, and --endpoint names another",
        )
    configuration = answer.get("EndpointConfigName", "")
    alarms = answer.get("LastDeploymentConfig", {}).get("AutoRollbackConfiguration", {}).get("Alarms", ())
    return Endpoint(
        name=name,
        status=answer["EndpointStatus"],
        configuration=configuration,
        heading_for=answer.get("PendingDeploymentSummary", {}).get("EndpointConfigName", configuration),
        reason=" ".join(answer.get("FailureReason", "").split()),
        changed=answer.get("LastModifiedTime"),
        variants=tuple(answer.get("ProductionVariants", ())),
        rollback_alarms=tuple(alarm["AlarmName"] for alarm in alarms),
    )


def configuration(account: Account, name: str) -> Configuration | None:
    """A configuration with its models' versions, or None."""
    answer = account.find("sagemaker", "describe_endpoint_config", EndpointConfigName=name) if name else None
    if answer is None:
        return None
    models = {variant["ModelName"]: _package(account, variant["ModelName"]) for variant in answer["ProductionVariants"]}
    variants = {
        variant["VariantName"]: ServedVariant(
            variant["VariantName"],
            variant.get("InstanceType", ""),
            variant["ModelName"],
            models[variant["ModelName"]] or "",
        )
        for variant in answer["ProductionVariants"]
    }
    return Configuration(name, answer["EndpointConfigArn"], variants, None not in models.values())


def _package(account: Account, model: str) -> str | None:
    """The package that a model is made of; empty if it is of none, None if there is no such model."""
    answer = account.find("sagemaker", "describe_model", ModelName=model)
    if answer is None:
        return None
    containers = [answer.get("PrimaryContainer", {}), *answer.get("Containers", ())]
    return next((container["ModelPackageName"] for container in containers if "ModelPackageName" in container), "")


def scaling_target(endpoint: str, variant: str) -> str:
    """The name that Application Auto Scaling has for a variant."""
    return f"endpoint/{endpoint}/variant/{variant}"
