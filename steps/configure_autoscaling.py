"""ConfigureAutoscaling: a function registers the endpoint's variant for target tracking."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from entrypoints import contract
from pedigree.errors import InvalidValueError
from steps import dag
from steps.build import Build
from steps.config import Config
from steps.functions import function_step, result
from steps.parameters import ExecutionParameter

NAME = "ConfigureAutoscaling"
RESULTS = (contract.OUTCOME,)


class AutoscalingConfig(Config):
    """The bounds, the target and the cooldowns of the scaling."""

    min_capacity: Annotated[int, Field(ge=1, le=100), ExecutionParameter("AutoscalingMinCapacity")] = 1
    max_capacity: Annotated[int, Field(ge=1, le=100), ExecutionParameter("AutoscalingMaxCapacity")] = 3
    """The same as min_capacity: nothing scales."""
    target_invocations_per_minute: Annotated[
        float, Field(gt=0, le=1_000_000), ExecutionParameter("AutoscalingTargetInvocations")
    ] = 30.0
    """Per instance and minute, not second."""
    scale_in_cooldown_seconds: Annotated[int, Field(ge=0, le=3600)] = 30
    scale_out_cooldown_seconds: Annotated[int, Field(ge=0, le=3600)] = 30

    @model_validator(mode="after")
    def _ordered(self) -> AutoscalingConfig:
        if self.min_capacity > self.max_capacity:
            raise InvalidValueError(
                f"scales from {self.min_capacity} to {self.max_capacity}", "min_capacity must not be above max_capacity"
            )
        return self


def configure_autoscaling(config: AutoscalingConfig, build: Build, *, variant: str, awaited: dag.Step) -> dag.Step:
    """The step; with min_capacity equal to max_capacity, nothing scales."""
    event = {
        contract.OUTCOME: result(awaited, contract.OUTCOME),
        contract.ENDPOINT_NAME: result(awaited, contract.ENDPOINT_NAME),
        **scaling(config, variant),
    }
    description = "Registers the endpoint for target tracking on invocations per instance and minute."
    return function_step(NAME, "autoscale", build, description=description, event=event, results=RESULTS)


def scaling(config: AutoscalingConfig, variant: str) -> dict[str, Any]:
    """The part of the event that settings decide: the same from this step and from the rule on approval."""
    return {
        contract.MIN_CAPACITY: config.min_capacity,
        contract.MAX_CAPACITY: config.max_capacity,
        contract.TARGET_INVOCATIONS: config.target_invocations_per_minute,
        contract.VARIANT_NAME: variant,
        contract.SCALE_IN_COOLDOWN: config.scale_in_cooldown_seconds,
        contract.SCALE_OUT_COOLDOWN: config.scale_out_cooldown_seconds,
    }
