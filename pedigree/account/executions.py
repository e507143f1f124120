"""Lists a pipeline's executions, finds one by the start of its id, and plans its stop or retry."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pedigree.account.account import Account
from pedigree.account.errors import AbsentError, CallRefusedError
from pedigree.account.plan import ApiCall, Change

RUNNING = "Executing"
SUCCEEDED = "Succeeded"
STOPPING = "Stopping"
ENDED = (SUCCEEDED, "Failed", "Stopped", "CompletedWithFailures")
_SHOWN = 5


@dataclass(frozen=True)
class Execution:
    """One execution; in a listing, AWS gives neither its end nor who started it."""

    arn: str
    status: str
    name: str = ""
    started: dt.datetime | None = None
    ended: dt.datetime | None = None
    reason: str = ""
    by: str = ""

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.status in ENDED


def described(account: Account, arn: str) -> Execution:
    """One execution with all its fields."""
    answer = account.call("sagemaker", "describe_pipeline_execution", PipelineExecutionArn=arn)
    status = answer["PipelineExecutionStatus"]
    return Execution(
        arn=answer["PipelineExecutionArn"],
        status=status,
        name=answer.get("PipelineExecutionDisplayName", ""),
        started=answer.get("CreationTime"),
        ended=answer.get("LastModifiedTime") if status in ENDED else None,
        reason=" ".join(answer.get("FailureReason", "").split()),
        by=_who(answer.get("CreatedBy", {})),
    )


def newest(account: Account, pipeline: str, count: int) -> list[Execution]:
    """The last executions, the newest first."""
    return [described(account, execution.arn) for execution in islice(listed(account, pipeline), count)]


def choose(account: Account, pipeline: str, wanted: str = "") -> Execution:
    """The execution of an ARN or of the start of an id; the newest without either."""
    if not wanted:
        newest = next(listed(account, pipeline), None)
        if newest is None:
            raise AbsentError(f"pipeline {pipeline} has no executions yet", "`pedigree start` starts one")
        return newest
    beginning = wanted.rpartition("/")[2]
    fitting = [execution for execution in listed(account, pipeline) if execution.id.startswith(beginning)]
    exact = [execution for execution in fitting if execution.id == beginning]
    if len(exact or fitting) == 1:
        return (exact or fitting)[0]
    if not fitting:
        raise AbsentError(
            f"pipeline {pipeline} has no execution whose id begins with {beginning}",
            "`pedigree executions` lists the last ones",
        )
    names = ", ".join(execution.id for execution in fitting[:_SHOWN])
    raise AbsentError(f"{len(fitting)} executions begin with {beginning} ({names}, …)", "write more of the id")


def stop(execution: Execution) -> Change | None:
    """The change that stops an execution; None if it has ended or is stopping."""
    if execution.is_over or execution.status == STOPPING:
        return None
    return _change(execution, "stop_pipeline_execution", "it is stopped: running jobs end, no further step begins")


def retry(execution: Execution) -> Change:
    """The change that resumes an execution where it failed."""
    if not execution.is_over:
        raise CallRefusedError(
            f"execution {execution.id} is {execution.status}, and only what has ended can be retried",
            f"follow it with `pedigree status {execution.id}`",
        )
    if execution.status == SUCCEEDED:
        raise CallRefusedError(
            f"execution {execution.id} has succeeded, and there is nothing to retry",
            "`pedigree start` starts another",
        )
    return _change(execution, "retry_pipeline_execution", "steps that succeeded are kept, the others run again")


def _change(execution: Execution, operation: str, why: str) -> Change:
    arguments = {"PipelineExecutionArn": execution.arn, "ClientRequestToken": token()}
    return Change("update", "execution", execution.id, (ApiCall("sagemaker", operation, arguments),), (why,))


def token() -> str:
    """An idempotency token."""
    return uuid.uuid4().hex


def listed(account: Account, pipeline: str) -> Iterator[Execution]:
    """All executions, the newest first."""
    newest_first = {"PipelineName": pipeline, "SortBy": "CreationTime", "SortOrder": "Descending"}
    try:
        for summary in account.each(
            "sagemaker", "list_pipeline_executions", "PipelineExecutionSummaries", **newest_first
        ):
            yield Execution(
                arn=summary["PipelineExecutionArn"],
                status=summary["PipelineExecutionStatus"],
                name=summary.get("PipelineExecutionDisplayName", ""),
                started=summary.get("StartTime"),
            )
    except AbsentError:
        raise no_pipeline(account, pipeline) from None


def no_pipeline(account: Account, pipeline: str) -> AbsentError:
    """The error for a pipeline that the account does not have."""
    return AbsentError(
        f"account {account.id} has no pipeline {pipeline} in {account.region}",
        "create it there, or name another with --pipeline",
    )


def _who(context: Mapping[str, Any]) -> str:
    """A user's name in Studio, or the last parts of an identity's ARN."""
    identity = context.get("IamIdentity", {}).get("Arn", "").rpartition(":")[2]
    return str(context.get("UserProfileName") or identity.partition("/")[2] or identity)
