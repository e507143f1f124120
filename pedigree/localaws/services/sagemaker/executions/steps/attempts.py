"""One attempt at a step: started, or spared where an earlier result can be reused; ended, or repeated after a wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pedigree.language import caching, retries
from pedigree.language.errors import LanguageError
from pedigree.language.text import brief
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.errors import LocalAwsError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.sagemaker.executions.core import state
from pedigree.localaws.services.sagemaker.executions.core.errors import ValueMissingError
from pedigree.localaws.services.sagemaker.executions.steps.runner import (
    Attempt,
    StepResult,
    StepRunner,
    fault_of,
)

_LONGEST_LIFETIME = dt.timedelta(days=36_500)


def is_due(attempt: Attempt) -> bool:
    """Whether the wait before a repeated attempt is over."""
    after = attempt.record.get("_not_before")
    return after is None or attempt.world.clock.now() >= dt.datetime.fromisoformat(after)


def start(attempt: Attempt, runner: StepRunner) -> None:
    """Start a step, unless an earlier result can be reused; one that cannot start has failed."""
    try:
        attempt = replace(attempt, arguments=_arguments(attempt))
        reused = _reusable(attempt)
        metadata = runner.start(attempt) if reused is None else {}
    except (ServiceError, LocalAwsError, LanguageError) as error:
        finish(attempt, failure(error))
        return
    started = {"StepStatus": "Executing", "Metadata": metadata} if reused is None else reused
    change(attempt, _arguments=attempt.arguments, **started)


def _arguments(attempt: Attempt) -> Mapping[str, Any]:
    """The arguments of the step with the values of their expressions."""
    arguments = attempt.resolver.resolve(dict(attempt.step.evaluated_arguments))
    if not isinstance(arguments, Mapping):
        raise ValueMissingError(f"Arguments of {attempt.step.name} is {brief(arguments)}", "write an object")
    return arguments


def poll(attempt: Attempt, runner: StepRunner) -> bool:
    """Record the result of an attempt that has ended; whether it has."""
    try:
        result = runner.poll(attempt)
    except (ServiceError, LocalAwsError) as error:
        result = failure(error)
    if result is not None:
        finish(attempt, result)
    return result is not None


def stop(attempt: Attempt, runner: StepRunner) -> bool:
    """Ask an attempt to end; whether it has: it may just have ended, or has failed because it may not be stopped.

    The request is recorded after it is made, so that the successor of a killed daemon makes it again.
    """
    try:
        runner.stop(attempt)
    except (ServiceError, LocalAwsError) as error:
        if not poll(attempt, runner):
            finish(attempt, failure(error))
        return True
    change(attempt, StepStatus="Stopping")
    return False


def finish(attempt: Attempt, result: StepResult) -> None:
    """Record how an attempt ended, or that another one follows."""
    if result.status == "Failed" and _repeats(attempt, result):
        return
    metadata = attempt.record.get("Metadata", {})
    change(
        attempt,
        StepStatus=result.status,
        EndTime=attempt.world.now(),
        FailureReason=result.reason or None,
        Metadata={kind: {**members, **result.metadata} for kind, members in metadata.items()},
        _described={member: value for member, value in result.described.items() if not member.startswith("_")},
        _outcome=result.branch,
        _key=_key(attempt) if result.status == "Succeeded" else None,
    )


def change(attempt: Attempt, **members: Any) -> None:
    """Change members of the step's record."""
    attempt.active.records.change(attempt.step.name, **members)


def failure(error: Exception) -> StepResult:
    """The result of an attempt that an error ended."""
    if not isinstance(error, ServiceError):
        return StepResult("Failed", reason=str(error))
    return StepResult("Failed", reason=f"ClientError: {error}", fault=fault_of(error))


def _repeats(attempt: Attempt, result: StepResult) -> bool:
    """Whether a retry policy gives a failed step another attempt; if so, it is due after the policy's wait."""
    policy = retries.policy_for(attempt.step, result.fault)
    if policy is None or attempt.execution["PipelineExecutionStatus"] == "Stopping":
        return False
    now = attempt.world.clock.now()
    since = dt.datetime.fromisoformat(attempt.record["StartTime"])
    wait = policy.delay(attempt.number, (now - since).total_seconds())
    if wait is None:
        return False
    due = (now + dt.timedelta(seconds=wait)).isoformat()
    number = attempt.number + 1
    change(attempt, StepStatus="Starting", AttemptCount=number + 1, _attempt=number, _not_before=due)
    return True


def _reusable(attempt: Attempt) -> Mapping[str, Any] | None:
    """The record of a step that reuses the newest fitting result of an earlier execution; None if there is none."""
    lifetime = caching.lifetime(attempt.step)
    if lifetime is None or attempt.number:
        return None
    key = _key(attempt)
    oldest = attempt.world.clock.now() - min(lifetime, _LONGEST_LIFETIME)
    for entry in reversed(attempt.world.store.entries(state.EXECUTION)):
        step = attempt.world.store.find(state.STEP, f"{entry.name}/{attempt.step.name}")
        if step and entry.body["_pipeline"] == attempt.execution["_pipeline"] and _fits(step, key, oldest):
            source = step.get("CacheHitResult") or {"SourcePipelineExecutionArn": entry.body["PipelineExecutionArn"]}
            reused = {member: step.get(member) for member in ("Metadata", "_described", "_outcome", "_key")}
            return {**reused, "StepStatus": "Succeeded", "EndTime": attempt.world.now(), "CacheHitResult": source}
    return None


def _key(attempt: Attempt) -> str:
    return caching.key(attempt.step, attempt.arguments, attempt.target)


def _fits(step: Document, key: str, oldest: dt.datetime) -> bool:
    return (
        step["StepStatus"] == "Succeeded"
        and step.get("_key") == key
        and dt.datetime.fromisoformat(step["EndTime"]) >= oldest
    )
