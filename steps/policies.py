"""Retries and caching of steps: when SageMaker tries a step again, and when it reuses a result."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pedigree.errors import InvalidValueError
from steps import dag
from steps.config import Config, like

Kind = Literal["processing", "tuning", "training", "registry"]
StepFault = Literal["Step.SERVICE_FAULT", "Step.THROTTLING"]
Fault = Literal[
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
]
CacheLifetime = Annotated[
    str,
    like("P30D or PT12H", r"P(?=.*[1-9])(?=[\dT])(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?)?", optional=True),
]


class BackoffConfig(Config):
    """How often and how far apart a step is tried again: max_attempts times, or until expire_after_minutes."""

    max_attempts: Annotated[int, Field(ge=0, le=20)] = 0
    """Give this or expire_after_minutes; both 0: no retries."""
    expire_after_minutes: Annotated[int, Field(ge=0, le=14_400)] = 0
    interval_seconds: Annotated[int, Field(ge=1, le=43_200)] = 30
    backoff_rate: Annotated[float, Field(ge=1, le=10)] = 2.0

    @model_validator(mode="after")
    def _one_limit(self) -> BackoffConfig:
        if self.max_attempts and self.expire_after_minutes:
            raise InvalidValueError(
                "has max_attempts and expire_after_minutes, and the service takes one", "set the other to 0"
            )
        return self


class StepRetry(BackoffConfig):
    """Retries of a step that is not a job."""

    on: tuple[StepFault, ...] = Field(default=("Step.SERVICE_FAULT", "Step.THROTTLING"), min_length=1)


class JobRetry(BackoffConfig):
    """Retries of a job."""

    on: tuple[Fault, ...] = Field(
        default=("Step.SERVICE_FAULT", "Step.THROTTLING", "SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR"),
        min_length=1,
    )


class RetriesConfig(Config):
    """Retries by kind of step; SageMaker has none for the other kinds."""

    processing: JobRetry = JobRetry(max_attempts=3)
    tuning: JobRetry = JobRetry(max_attempts=3)
    training: JobRetry = JobRetry(expire_after_minutes=180, interval_seconds=120)
    registry: StepRetry = StepRetry(max_attempts=5, interval_seconds=5)


class CacheConfig(Config):
    """How long a step's result is reused while its code, inputs and arguments are the same; empty: never."""

    processing: CacheLifetime = "P30D"
    tuning: CacheLifetime = "P30D"
    training: CacheLifetime = "P30D"


def retry_policies(retry: JobRetry | StepRetry) -> list[dag.Expression]:
    """The SDK's policies: one for faults of the step, one for faults of its job, with the same limits."""
    if not retry.max_attempts and not retry.expire_after_minutes:
        return []
    limits = {
        "backoff_rate": retry.backoff_rate,
        "interval_seconds": retry.interval_seconds,
        "max_attempts": retry.max_attempts or None,
        "expire_after_mins": retry.expire_after_minutes or None,
    }
    # By value and not by call: the SDK's enumerations answer every call with their first member.
    of_step = [fault for fault in dag.StepExceptionTypeEnum if fault.value in retry.on]
    of_job = [fault for fault in dag.SageMakerJobExceptionTypeEnum if fault.value in retry.on]
    policies = [dag.StepRetryPolicy(of_step, **limits)] if of_step else []
    return policies + ([dag.SageMakerJobStepRetryPolicy(of_job, **limits)] if of_job else [])


def cache_config(lifetime: str) -> dag.Expression:
    """The SDK's cache configuration: on for a lifetime, or explicitly off."""
    return dag.CacheConfig(enable_caching=bool(lifetime), expire_after=lifetime or None)
