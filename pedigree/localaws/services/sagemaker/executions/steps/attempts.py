"""One attempt at a step: begun, or spared where an earlier result will do; ended, or made again after a wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from pedigree.language import caching, retries
from pedigree.language.errors import LanguageError
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.errors import LocalAwsError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.sagemaker.executions import state
from pedigree.localaws.services.sagemaker.executions.steps.runner import (
    JOB_FAULTS,
    STEP_FAULT,
    THROTTLING,
    Ended,
    Run,
    Runner,
)

_LONGEST_LIFETIME = dt.timedelta(days=36_500)
_THROTTLED = ("Throttling", "TooManyRequests", "LimitExceeded")


def is_due(run: Run, body: Document) -> bool:
    """Whether the wait before another attempt is over."""
    after = body.get("_not_before")
    return after is None or run.world.clock.now() >= dt.datetime.fromisoformat(after)


def begin(run: Run, runner: Runner) -> None:
    """Begin a step, unless an earlier result will do, or it cannot be begun at all."""
    try:
        run = replace(run, arguments=run.known.of(dict(run.step.own_arguments)))
        reused = _reusable(run)
        metadata = runner.start(run) if reused is None else {}
    except (ServiceError, LocalAwsError, LanguageError) as error:
        finish(run, failed(error))
        return
    started = {"StepStatus": "Executing", "Metadata": metadata} if reused is None else reused
    change(run, _arguments=run.arguments, **started)


def look(run: Run, runner: Runner) -> bool:
    """Whether an attempt has ended; if so, it is noted how."""
    try:
        ended = runner.look(run)
    except (ServiceError, LocalAwsError) as error:
        ended = failed(error)
    if ended is not None:
        finish(run, ended)
    return ended is not None


def stop(run: Run, runner: Runner) -> bool:
    """Ask an attempt to end; whether it has: it may just have ended, or it has failed because it may not be asked.

    That it was asked is noted afterwards, so that the successor of a killed daemon asks again.
    """
    try:
        runner.stop(run)
    except (ServiceError, LocalAwsError) as error:
        if not look(run, runner):
            finish(run, failed(error))
        return True
    change(run, StepStatus="Stopping")
    return False


def finish(run: Run, ended: Ended) -> None:
    """Note how an attempt ended, or that there is to be another."""
    body = run.ledger.steps[run.step.name]
    if ended.status == "Failed" and _again(run, body, ended):
        return
    metadata = {kind: {**told, **ended.metadata} for kind, told in body.get("Metadata", {}).items()}
    change(
        run,
        StepStatus=ended.status,
        EndTime=run.world.now(),
        FailureReason=ended.reason or None,
        Metadata=metadata,
        _described={member: value for member, value in ended.described.items() if not member.startswith("_")},
        _outcome=ended.outcome,
        _key=caching.key(run.step, run.arguments),
    )


def change(run: Run, **members: Any) -> None:
    """Give the step new members."""
    run.ledger.change(run.step.name, **members)


def failed(error: Exception) -> Ended:
    """How an attempt ended that could not even be made."""
    if not isinstance(error, ServiceError):
        return Ended("Failed", reason=str(error))
    is_throttled = any(words in error.code for words in _THROTTLED)
    is_theirs = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    fault = JOB_FAULTS.get(error.code) or (THROTTLING if is_throttled else STEP_FAULT if is_theirs else "")
    return Ended("Failed", reason=f"ClientError: {error}", fault=fault)


def _again(run: Run, body: Document, ended: Ended) -> bool:
    """Whether a policy lets a failed step have another attempt; if so, it is due after the policy's wait."""
    policy = retries.policy_for(run.step, ended.fault)
    if policy is None or run.execution["PipelineExecutionStatus"] == "Stopping":
        return False
    now = run.world.clock.now()
    wait = policy.delay(run.attempt, (now - dt.datetime.fromisoformat(body["StartTime"])).total_seconds())
    if wait is None:
        return False
    due = (now + dt.timedelta(seconds=wait)).isoformat()
    again = run.attempt + 1
    change(run, StepStatus="Starting", AttemptCount=again + 1, _attempt=again, _not_before=due)
    return True


def _reusable(run: Run) -> Mapping[str, Any] | None:
    """The members of a step for which an earlier result of the same pipeline will do, the newest; or None."""
    lifetime = caching.lifetime(run.step)
    if lifetime is None or run.attempt:
        return None
    wanted = caching.key(run.step, run.arguments)
    oldest = run.world.clock.now() - min(lifetime, _LONGEST_LIFETIME)
    for entry in reversed(run.world.store.entries(state.EXECUTION)):
        one = run.world.store.find(state.STEP, f"{entry.name}/{run.step.name}")
        if one and entry.body["_pipeline"] == run.execution["_pipeline"] and _will_do(one, wanted, oldest):
            source = one.get("CacheHitResult") or {"SourcePipelineExecutionArn": entry.body["PipelineExecutionArn"]}
            kept = {member: one.get(member) for member in ("Metadata", "_described", "_outcome", "_key")}
            return {**kept, "StepStatus": "Succeeded", "EndTime": run.world.now(), "CacheHitResult": source}
    return None


def _will_do(one: Document, wanted: str, oldest: dt.datetime) -> bool:
    return (
        one["StepStatus"] == "Succeeded"
        and one.get("_key") == wanted
        and dt.datetime.fromisoformat(one["EndTime"]) >= oldest
    )
