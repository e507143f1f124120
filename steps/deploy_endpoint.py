"""DeployEndpoint: a function creates the endpoint or starts its update, and returns at once."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field, model_validator

from entrypoints import contract
from pedigree.errors import InvalidValueError
from steps import dag
from steps.build import Build
from steps.config import Config, EndpointInstance, HyphenatedName, Unique, like
from steps.functions import function_step
from steps.parameters import ExecutionParameter, default_of
from steps.register_model import RegistryConfig
from steps.site import SiteConfig

NAME = "DeployEndpoint"
RESULTS = (contract.OUTCOME, contract.ENDPOINT_NAME, contract.ENDPOINT_CONFIG_NAME)
_STEP_PERCENT = {"all-at-once": (1, 100), "canary": (1, 50), "linear": (10, 50)}


class _Registering(Protocol):
    """Settings that say for which machines a model is registered."""

    @property
    def registry(self) -> RegistryConfig: ...


def _registered_machines(_: EndpointConfig, settings: _Registering) -> tuple[str, ...]:
    return settings.registry.inference_instance_types


class UpdateConfig(Config):
    """How an update moves traffic to the new instances."""

    policy: Literal["all-at-once", "canary", "linear"] = "all-at-once"
    """Or canary, linear: with two instances or more."""
    step_percent: Annotated[int, Field(ge=1, le=100)] = 20
    """Of the instances: canary up to 50, linear 10 to 50."""
    wait_seconds: Annotated[int, Field(ge=0, le=3600)] = 300
    """After each step."""
    termination_wait_seconds: Annotated[int, Field(ge=0, le=3600)] = 120
    """Before the old instances go."""
    timeout_seconds: Annotated[int, Field(ge=600, le=28_800)] = 7200
    """Then the update is rolled back."""

    @model_validator(mode="after")
    def _step_size(self) -> UpdateConfig:
        low, high = _STEP_PERCENT[self.policy]
        if not low <= self.step_percent <= high:
            raise InvalidValueError(
                f"moves {self.step_percent}% at a time, and {self.policy} takes {low} to {high}", "change step_percent"
            )
        return self


class AlarmsConfig(Config):
    """Alarms that roll an update back."""

    server_errors_percent: Annotated[int, Field(ge=0, le=100)] = 5
    """0: no such alarm."""
    latency_milliseconds: Annotated[int, Field(ge=0, le=60_000)] = 2000
    """0: no such alarm."""
    extra: Unique[Annotated[str, like("my-alarm", r"[!-~][ -~]{0,254}")]] = Field(default=(), max_length=8)
    """Names of alarms that you have."""


class EndpointConfig(Config):
    """The endpoint and its updates."""

    name: Annotated[HyphenatedName, ExecutionParameter("EndpointName")] = "dog-breeds"
    instance_type: Annotated[
        EndpointInstance, ExecutionParameter("EndpointInstanceType", choices=_registered_machines)
    ] = "ml.m5.large"
    instance_count: Annotated[int, Field(ge=1, le=100), ExecutionParameter("EndpointInstanceCount")] = 1
    variant: HyphenatedName = "AllTraffic"
    capture_percent: Annotated[int, Field(ge=0, le=100)] = 0
    """The share of requests and answers that is kept in S3."""
    update: UpdateConfig = UpdateConfig()
    alarms: AlarmsConfig = AlarmsConfig()


def deploy_endpoint(config: EndpointConfig, build: Build, *, package_arn: dag.Expression) -> dag.Step:
    """The step; it does not deploy a version that is not approved, and its outcome says so."""
    event = {
        contract.MODEL_PACKAGE_ARN: package_arn,
        contract.EXECUTION_ID: dag.ExecutionVariables.PIPELINE_EXECUTION_ID,
        **deployment(config, build),
    }
    description = "Creates the endpoint, or starts its blue/green update, with the registered version."
    return function_step(NAME, "deploy", build, description=description, event=event, results=RESULTS)


def deployment(config: EndpointConfig, build: Build) -> dict[str, Any]:
    """The part of the event that settings decide: the same from this step and from the rule on approval."""
    return {
        contract.ENDPOINT_NAME: config.name,
        contract.INSTANCE_TYPE: config.instance_type,
        contract.INSTANCE_COUNT: config.instance_count,
        contract.VARIANT_NAME: config.variant,
        contract.CAPTURE_PERCENT: config.capture_percent,
        contract.CAPTURE_URI: build.site.uri("captured"),
        contract.TRAFFIC_POLICY: config.update.policy,
        contract.TRAFFIC_STEP_PERCENT: config.update.step_percent,
        contract.TRAFFIC_WAIT_SECONDS: config.update.wait_seconds,
        contract.TERMINATION_WAIT_SECONDS: config.update.termination_wait_seconds,
        contract.UPDATE_TIMEOUT_SECONDS: config.update.timeout_seconds,
        contract.ALARM_5XX_PERCENT: config.alarms.server_errors_percent,
        contract.ALARM_LATENCY_MILLISECONDS: config.alarms.latency_milliseconds,
        contract.EXTRA_ALARMS: as_text(config.alarms.extra),
        **_surroundings(build.site, default_of(config.instance_type)),
        contract.TAGS: as_text(build.site.tags_of(build.pipeline)),
    }


def shortest_update(update: UpdateConfig) -> int:
    """The seconds of an update's waits: after every step of traffic, and before the old instances go."""
    steps = {"all-at-once": 1, "canary": 1, "linear": -(-100 // update.step_percent)}
    return steps[update.policy] * update.wait_seconds + update.termination_wait_seconds


def as_text(value: object) -> str:
    """A list or a table as the text of its JSON: events are flat."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _surroundings(site: SiteConfig, instance_type: str) -> dict[str, Any]:
    return {
        contract.MODEL_ROLE_ARN: site.role("model"),
        contract.SUBNETS: as_text(site.network.subnets),
        contract.SECURITY_GROUPS: as_text(site.network.security_groups),
        contract.NETWORK_ISOLATION: site.network.isolation,
        contract.VOLUME_KEY: site.encryption.volume(instance_type).get("VolumeKmsKeyId", ""),
        contract.OUTPUT_KEY: site.encryption.output_key,
    }
