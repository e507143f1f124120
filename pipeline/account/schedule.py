"""The schedule: EventBridge Scheduler starts the pipeline by itself, at the times and with the values of settings.

A paused schedule stays paused: its state is not a difference. A schedule that has fired for the last time is left as it
is, and no schedule is created or changed so that it would never fire.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pedigree.account.account import Account
from pedigree.account.errors import AbsentError, NameTakenError, ScheduleEndedError
from pedigree.account.plan import ApiCall, Change
from pedigree.account.timetable import fires
from pedigree.language.fields import differences
from pipeline.account import tags
from pipeline.account.queues import schedule_dead_letters
from pipeline.settings.tree import Settings

State = Literal["ENABLED", "DISABLED"]
GROUP = "default"
KIND = "schedule"
# What Scheduler says of a schedule that it also takes when one is written.
_WRITTEN = (
    *("Name", "GroupName", "Description", "ScheduleExpression", "ScheduleExpressionTimezone", "StartDate", "EndDate"),
    *("State", "KmsKeyArn", "Target", "FlexibleTimeWindow", "ActionAfterCompletion"),
)
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
_KNOWN_OF_TARGET = {"Arn", "RoleArn", "RetryPolicy", "DeadLetterConfig", "SageMakerPipelineParameters"}


@dataclass(frozen=True)
class ManagedSchedule:
    """The schedule of the settings, and its dead-letter queue."""

    settings: Settings

    def changes(self, account: Account) -> Iterator[Change]:
        """Create them, or update what differs."""
        if self.settings.schedule.dead_letter_queue:
            yield from schedule_dead_letters(self.settings).changes(account)
        existing = find(account, self.settings)
        wanted = request(self.settings)
        if existing is None:
            yield Change("create", KIND, wanted["Name"], (_call("create", wanted),), self._times(account))
            return
        why = tuple(differences(view(existing, account), view(wanted, account)))
        if why:
            retained = {name: existing[name] for name in ("State", "KmsKeyArn") if existing.get(name)}
            calls = (_call("update", {**wanted, **retained}),)
            yield Change("update", KIND, wanted["Name"], calls, (*why, *self._times(account)))

    def _times(self, account: Account) -> tuple[str, ...]:
        """The next times, line by line; raises ScheduleEndedError if there are none."""
        chosen = self.settings.schedule
        times = fires(chosen.expression, chosen.timezone, account.clock.now())
        if not times:
            raise ScheduleEndedError(
                f"schedule.expression = {chosen.expression} never fires again in {chosen.timezone}",
                "write a time that is still to come, or schedule.enabled = false",
            )
        return (f"{chosen.expression} in {chosen.timezone} fires", *(f"  {time}" for time in times))


@dataclass(frozen=True)
class Switch:
    """Enables or disables the existing schedule."""

    settings: Settings
    state: State

    def changes(self, account: Account) -> Iterator[Change]:
        existing = find(account, self.settings)
        if existing is None or existing["State"] == self.state:
            return
        as_it_is = {name: existing[name] for name in _WRITTEN if existing.get(name) is not None}
        if not _is_ahead(existing.get("StartDate"), account):
            as_it_is.pop("StartDate", None)  # a moment that has passed is refused
        call = _call("update", {**as_it_is, "State": self.state})
        yield Change("update", KIND, existing["Name"], (call,), (f"{existing['State']} → {self.state}",))


@dataclass(frozen=True)
class Removal:
    """Removes the schedule, and its dead-letter queue if that is empty."""

    settings: Settings

    def changes(self, account: Account) -> Iterator[Change]:
        existing = find(account, self.settings)
        if existing is not None:
            call = ApiCall("scheduler", "delete_schedule", {"Name": existing["Name"], "GroupName": GROUP})
            yield Change(
                "delete", KIND, existing["Name"], (call,), (f"{existing['ScheduleExpression']} fires no more",)
            )
        letters = dead_letters(account, self.settings)
        if letters is not None and letters.count == 0:
            call = ApiCall("sqs", "delete_queue", {"QueueUrl": letters.url})
            yield Change("delete", "queue", letters.name, (call,), ("it is empty",))


@dataclass(frozen=True)
class DeadLetters:
    """The dead-letter queue and its number of messages."""

    name: str
    url: str
    count: int


def managed_schedule(settings: Settings) -> ManagedSchedule:
    """The schedule of these settings, which name their account."""
    return ManagedSchedule(settings)


def find(account: Account, settings: Settings) -> Mapping[str, Any] | None:
    """The existing schedule; raises NameTakenError if it starts something else."""
    name, target = settings.pipeline.name, _pipeline_arn(settings)
    existing: Mapping[str, Any] | None = account.find("scheduler", "get_schedule", Name=name, GroupName=GROUP)
    if existing is not None and existing["Target"]["Arn"].lower() != target.lower():
        raise NameTakenError(
            f"schedule {name} exists already and starts {existing['Target']['Arn']}",
            "choose another pipeline.name, or remove that schedule",
        )
    return existing


def existing(account: Account, settings: Settings) -> Mapping[str, Any]:
    """The existing schedule; raises AbsentError if there is none."""
    existing = find(account, settings)
    if existing is None:
        raise AbsentError(
            f"account {account.id} has no schedule {settings.pipeline.name} in {account.region}",
            "`pedigree schedule make` makes it",
        )
    return existing


def dead_letters(account: Account, settings: Settings) -> DeadLetters | None:
    """The dead-letter queue, if it exists and is ours."""
    queue = schedule_dead_letters(settings)
    existing = account.find("sqs", "get_queue_url", QueueName=queue.name)
    if existing is None:
        return None
    url = {"QueueUrl": existing["QueueUrl"]}
    labels = account.find("sqs", "list_queue_tags", **url) or {}
    counted = account.find("sqs", "get_queue_attributes", **url, AttributeNames=list(_COUNTS)) or {}
    if not tags.is_of(labels.get("Tags", {}), queue.tags):
        return None
    counts = counted.get("Attributes", {})
    return DeadLetters(queue.name, existing["QueueUrl"], sum(int(counts.get(name, 0)) for name in _COUNTS))


def request(settings: Settings) -> dict[str, Any]:
    """The schedule as it is written."""
    chosen, name = settings.schedule, settings.pipeline.name
    return {
        "Name": name,
        "GroupName": GROUP,
        "Description": f"Starts the pipeline {name}.",
        "ScheduleExpression": chosen.expression,
        "ScheduleExpressionTimezone": chosen.timezone,
        "State": "ENABLED",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "NONE",
        "Target": _target(settings),
    }


def view(schedule: Mapping[str, Any], account: Account) -> dict[str, Any]:
    """The schedule's fields as people read them, without its state."""
    target = schedule["Target"]
    given = target.get("SageMakerPipelineParameters", {}).get("PipelineParameterList", [])
    retries = target.get("RetryPolicy", {})
    start, end = schedule.get("StartDate"), schedule.get("EndDate")
    return {
        "expression": schedule["ScheduleExpression"],
        "timezone": schedule.get("ScheduleExpressionTimezone", "UTC"),
        "parameters": {parameter["Name"]: parameter["Value"] for parameter in given},
        "retries": retries.get("MaximumRetryAttempts"),
        "event age": retries.get("MaximumEventAgeInSeconds"),
        "dead letters": target.get("DeadLetterConfig", {}).get("Arn", "nowhere"),
        "role": target["RoleArn"],
        "window": schedule["FlexibleTimeWindow"]["Mode"],
        "description": schedule.get("Description", ""),
        "afterwards": schedule.get("ActionAfterCompletion") or "NONE",
        "beginning": str(start) if _is_ahead(start, account) else "at once",
        "end": str(end) if end else "never",
        "other members": sorted(target.keys() - _KNOWN_OF_TARGET),
    }


def _target(settings: Settings) -> dict[str, Any]:
    chosen, site = settings.schedule, settings.site
    given = [{"Name": name, "Value": _as_text(value)} for name, value in chosen.parameters.items()]
    letters = schedule_dead_letters(settings).arn
    return {
        "Arn": _pipeline_arn(settings),
        "RoleArn": site.role("scheduler"),
        "RetryPolicy": {
            "MaximumEventAgeInSeconds": chosen.max_event_age_seconds,
            "MaximumRetryAttempts": chosen.max_retries,
        },
        **({"DeadLetterConfig": {"Arn": letters}} if chosen.dead_letter_queue else {}),
        **({"SageMakerPipelineParameters": {"PipelineParameterList": given}} if given else {}),
    }


def _pipeline_arn(settings: Settings) -> str:
    return settings.site.arn("sagemaker", f"pipeline/{settings.pipeline.name}")


def _as_text(value: str | int | float) -> str:
    """A value as an execution takes it: as text."""
    return value if isinstance(value, str) else json.dumps(value)


def _call(verb: str, arguments: Mapping[str, Any]) -> ApiCall:
    return ApiCall("scheduler", f"{verb}_schedule", arguments)


def _is_ahead(moment: Any, account: Account) -> bool:
    return moment is not None and bool(moment > account.clock.now())
