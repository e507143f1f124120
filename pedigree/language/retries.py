"""Reads the RetryPolicies of a step, and computes how long to wait before each attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.language.definition import Step
from pedigree.language.pointers import entries

LONGEST_SECONDS = 43_200.0
EXCEPTION_TYPES = (
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
)


@dataclass(frozen=True)
class RetryPolicy:
    """The exceptions to retry after, the intervals, and the end: a number of attempts, or a time since the first."""

    exception_types: frozenset[str]
    interval_seconds: float = 1.0
    backoff_rate: float = 2.0
    max_attempts: int | None = None
    expire_after_minutes: float | None = None

    def delay(self, retried: int, seconds_since_start: float) -> float | None:
        """The seconds to wait before the next attempt, None when there is none."""
        if self.max_attempts is not None and retried >= self.max_attempts:
            return None
        wait = min(LONGEST_SECONDS, self.interval_seconds * self.backoff_rate ** min(retried, 64))
        expiry = self.expire_after_minutes
        return None if expiry is not None and seconds_since_start + wait > expiry * 60 else wait


def policies(step: Step) -> tuple[RetryPolicy, ...]:
    """The policies of a step; for an exception, the first one that names it counts."""
    written = step.document.get("RetryPolicies")
    return tuple(_policy(policy) for _, policy in entries(written))


def policy_for(step: Step, exception_type: str) -> RetryPolicy | None:
    """The first policy of a step that names an exception, None if there is none."""
    return next((policy for policy in policies(step) if exception_type in policy.exception_types), None)


def _policy(document: Mapping[str, Any]) -> RetryPolicy:
    exception_types = document.get("ExceptionType", ())
    attempts = document.get("MaxAttempts")
    expiry = document.get("ExpireAfterMin")
    return RetryPolicy(
        frozenset([exception_types] if isinstance(exception_types, str) else exception_types),
        float(document.get("IntervalSeconds", 1)),
        float(document.get("BackoffRate", 2.0)),
        None if attempts is None else int(attempts),
        None if expiry is None else float(expiry),
    )
