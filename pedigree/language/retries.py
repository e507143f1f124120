"""When a failed step is tried again: a definition's RetryPolicies, read, and how long to wait before each attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedigree.language.definition import Step

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
    """After which faults, how long apart, and until when: a number of attempts, or a time since the first."""

    faults: frozenset[str]
    interval_seconds: float = 1.0
    backoff_rate: float = 2.0
    max_attempts: int | None = None
    expire_after_minutes: float | None = None

    def delay(self, retried: int, seconds_since_start: float) -> float | None:
        """The seconds to wait before another attempt, after so many; None when it is enough."""
        if self.max_attempts is not None and retried >= self.max_attempts:
            return None
        wait = min(LONGEST_SECONDS, self.interval_seconds * self.backoff_rate ** min(retried, 64))
        expiry = self.expire_after_minutes
        return None if expiry is not None and seconds_since_start + wait > expiry * 60 else wait


def policies(step: Step) -> tuple[RetryPolicy, ...]:
    """The policies of a step, the first that knows a fault being the one that counts."""
    written = step.document.get("RetryPolicies")
    return tuple(_policy(one) for one in written if isinstance(one, Mapping)) if isinstance(written, Sequence) else ()


def policy_for(step: Step, fault: str) -> RetryPolicy | None:
    """The policy of a step for a fault, if one knows it."""
    return next((one for one in policies(step) if fault in one.faults), None)


def _policy(document: Mapping[str, Any]) -> RetryPolicy:
    faults = document.get("ExceptionType", ())
    attempts = document.get("MaxAttempts")
    expiry = document.get("ExpireAfterMin")
    return RetryPolicy(
        frozenset([faults] if isinstance(faults, str) else faults),
        float(document.get("IntervalSeconds", 1)),
        float(document.get("BackoffRate", 2.0)),
        None if attempts is None else int(attempts),
        None if expiry is None else float(expiry),
    )
