"""The log group of a function, made before the function writes, so that its lines expire."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pedigree.account import differences
from pedigree.account.account import Account
from pedigree.account.plan import ApiCall, Change
from pipeline.account import tags


@dataclass(frozen=True)
class LogGroup:
    """A log group and its retention."""

    name: str
    arn: str
    retention_days: int
    tags: tags.Tags

    def changes(self, account: Account) -> Iterator[Change]:
        """Create it, or update what differs."""
        named = {"logGroupName": self.name}
        keeping = ApiCall("logs", "put_retention_policy", {**named, "retentionInDays": self.retention_days})
        existing = find(account, self.name)
        if existing is None:
            made = ApiCall("logs", "create_log_group", {**named, "tags": dict(self.tags)})
            yield Change("create", "log group", self.name, (made, keeping))
            return
        labels = account.call("logs", "list_tags_for_resource", resourceArn=self.arn).get("tags", {})
        lacking = tags.lacking("log group", self.name, labels, self.tags)
        retention = differences.fields(existing, {"retentionInDays": self.retention_days})
        calls = [keeping] if retention else []
        if lacking:
            calls.append(ApiCall("logs", "tag_resource", {"resourceArn": self.arn, "tags": lacking}))
        if calls:
            yield Change(
                "update", "log group", self.name, tuple(calls), (*retention, *tags.differences(labels, lacking))
            )


def find(account: Account, name: str) -> dict[str, object] | None:
    """The log group of exactly that name."""
    groups = account.each("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    return next((group for group in groups if group["logGroupName"] == name), None)
