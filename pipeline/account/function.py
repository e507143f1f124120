"""A Lambda function: code, configuration, the alias of its live version, and its concurrency.

A version is published only where code or configuration changed, and the alias `live` is moved to it; callers that go by
the alias see the old version until the new one is whole. The alias is compared with the settings, not with
the newest version, so that an interrupted upsert is completed by the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.account import differences
from pedigree.account.account import Account
from pedigree.account.function_package import Package
from pedigree.account.plan import ApiCall, Change, SavedValue
from pipeline.account import tags
from steps.functions import LIVE


@dataclass(frozen=True)
class LambdaFunction:
    """One function as the settings have it; 0 reserves no concurrency."""

    name: str
    arn: str
    package: Package
    architecture: str
    configuration: Mapping[str, Any]
    tags: tags.Tags
    reserved: int = 0

    @property
    def named(self) -> dict[str, str]:
        return {"FunctionName": self.name}

    def changes(self, account: Account) -> Iterator[Change]:
        """The function itself, then its alias, then its concurrency."""
        existing = account.find("lambda", "get_function", **self.named)
        yield from self._function(existing)
        yield from self._alias(account)
        yield from self._reserved((existing or {}).get("Concurrency", {}).get("ReservedConcurrentExecutions", 0))

    def _function(self, existing: Mapping[str, Any] | None) -> Iterator[Change]:
        if existing is None:
            yield Change("create", "function", self.name, (self._creation(),))
            return
        there, labels = existing["Configuration"], existing.get("Tags", {})
        tags.check_made("function", self.name, labels, self.tags, "pipeline.name")
        lacking = tags.lacking("function", self.name, labels, self.tags)
        code, configured = self._code_differences(there), self._configured_differences(there)
        if there.get("LastUpdateStatus") == "Failed":
            configured = (
                *configured,
                f"its last update failed: {there.get('LastUpdateStatusReason', 'no reason given')}",
            )
        calls = []
        if code:
            new = {"ZipFile": self.package.content, "Architectures": [self.architecture]}
            calls.append(ApiCall("lambda", "update_function_code", {**self.named, **new}))
        if configured:
            calls.append(ApiCall("lambda", "update_function_configuration", {**self.named, **self.configuration}))
        if lacking:
            calls.append(ApiCall("lambda", "tag_resource", {"Resource": self.arn, "Tags": lacking}))
        if calls:
            why = (*code, *configured, *tags.differences(labels, lacking))
            yield Change("update", "function", self.name, tuple(calls), why)

    def _creation(self) -> ApiCall:
        arguments = {
            **self.named,
            **self.configuration,
            "Architectures": [self.architecture],
            "Code": {"ZipFile": self.package.content},
            "Tags": dict(self.tags),
        }
        return ApiCall("lambda", "create_function", arguments)

    def _code_differences(self, there: Mapping[str, Any]) -> tuple[str, ...]:
        changed = () if there.get("CodeSha256") == self.package.sha256 else ("the code differs",)
        return (*changed, *differences.fields(there, {"Architectures": [self.architecture]}))

    def _configured_differences(self, there: Mapping[str, Any]) -> tuple[str, ...]:
        """The fields that differ; of the environment also variables that were added, since it is written whole."""
        added = set(there.get("Environment", {}).get("Variables", {})) - set(
            self.configuration["Environment"]["Variables"]
        )
        return (
            *differences.fields(there, self.configuration),
            *(f"environment variable {name} is not ours" for name in sorted(added)),
        )

    def _alias(self, account: Account) -> Iterator[Change]:
        alias = {**self.named, "Name": LIVE}
        published = ApiCall(
            "lambda", "publish_version", {**self.named, "CodeSha256": self.package.sha256}, save_as="version"
        )
        moved = {**alias, "FunctionVersion": SavedValue("version", "Version")}
        existing = account.find("lambda", "get_alias", **alias)
        if existing is None:
            calls = (published, ApiCall("lambda", "create_alias", moved))
            yield Change("create", "alias", self._live, calls)
            return
        version = existing["FunctionVersion"]
        there = account.find("lambda", "get_function_configuration", **self.named, Qualifier=version) or {}
        why = (*self._code_differences(there), *self._configured_differences(there))
        split = existing.get("RoutingConfig", {}).get("AdditionalVersionWeights")
        whole: dict[str, Any] = {"RoutingConfig": {"AdditionalVersionWeights": {}}}
        if why:
            reasons = tuple(f"version {version}: {reason}" for reason in why)
            calls = (published, ApiCall("lambda", "update_alias", {**moved, **whole}))
            yield Change("update", "alias", self._live, calls, reasons)
        elif split:
            call = ApiCall("lambda", "update_alias", {**alias, **whole})
            yield Change("update", "alias", self._live, (call,), ("it is split among versions",))

    def _reserved(self, existing: int) -> Iterator[Change]:
        if existing == self.reserved:
            return
        called = {**self.named, "ReservedConcurrentExecutions": self.reserved}
        call = (
            ApiCall("lambda", "put_function_concurrency", called)
            if self.reserved
            else ApiCall("lambda", "delete_function_concurrency", self.named)
        )
        why = f"{existing} set aside, not {self.reserved}"
        yield Change("update", "reserved concurrency", self.name, (call,), (why,))

    @property
    def _live(self) -> str:
        return f"{self.name}:{LIVE}"
