"""Lets the await function read its queue, one message at a time, so that a waiting message delays no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pedigree.account import differences
from pedigree.account.account import Account
from pedigree.account.plan import ApiCall, Change
from pipeline.account import tags
from pipeline.account.functions import live_arn
from pipeline.settings.tree import Settings
from steps.functions import queue_name

_BATCH = 10
_GOING = {"Disabling", "Disabled"}
_LEAVING = {"Deleting"}


@dataclass(frozen=True)
class EventSource:
    """The event source mapping from a queue to a function's live version."""

    queue: str
    queue_arn: str
    function_arn: str
    tags: tags.Tags

    def changes(self, account: Account) -> Iterator[Change]:
        """Creates or updates the mapping, and removes others of the same queue."""
        existing, *surplus = self._there(account) or [None]
        if existing is None:
            yield Change("create", "event source", self.queue, (self._creation(),))
        else:
            yield from self._repair(existing, account)
        for other in surplus:
            call = ApiCall("lambda", "delete_event_source_mapping", {"UUID": other["UUID"]})
            yield Change(
                "delete", "event source", f"{self.queue} to {other['FunctionArn']}", (call,), ("one is enough",)
            )

    def _there(self, account: Account) -> list[Any]:
        """The mappings of the queue, the one to our function first."""
        mappings = account.each(
            "lambda", "list_event_source_mappings", "EventSourceMappings", EventSourceArn=self.queue_arn
        )
        staying = [mapping for mapping in mappings if mapping["State"] not in _LEAVING]
        return sorted(staying, key=lambda mapping: (mapping["FunctionArn"] != self.function_arn, mapping["UUID"]))

    def _wanted(self) -> dict[str, Any]:
        return {"BatchSize": _BATCH, "FunctionResponseTypes": ["ReportBatchItemFailures"]}

    def _creation(self) -> ApiCall:
        source = {"EventSourceArn": self.queue_arn, "FunctionName": self.function_arn}
        return ApiCall("lambda", "create_event_source_mapping", {**source, **self._wanted(), "Tags": dict(self.tags)})

    def _repair(self, existing: dict[str, Any], account: Account) -> Iterator[Change]:
        arn = existing["EventSourceMappingArn"]
        labels = account.call("lambda", "list_tags", Resource=arn).get("Tags", {})
        lacking = tags.lacking("event source", self.queue, labels, self.tags)
        differs = differences.fields(existing, {"FunctionArn": self.function_arn, **self._wanted()})
        stopped = ("it is switched off",) if existing["State"] in _GOING else ()
        calls = []
        if differs or stopped:
            new = {"UUID": existing["UUID"], "FunctionName": self.function_arn, "Enabled": True, **self._wanted()}
            calls.append(ApiCall("lambda", "update_event_source_mapping", new))
        if lacking:
            calls.append(ApiCall("lambda", "tag_resource", {"Resource": arn, "Tags": lacking}))
        if calls:
            why = (*differs, *stopped, *tags.differences(labels, lacking))
            yield Change("update", "event source", self.queue, tuple(calls), why)


def event_source(settings: Settings) -> EventSource:
    """The mapping from the await queue to the await function."""
    queue = queue_name(settings.pipeline.name)
    return EventSource(queue, settings.site.arn("sqs", queue), live_arn(settings, "await"), tags.wanted(settings))
