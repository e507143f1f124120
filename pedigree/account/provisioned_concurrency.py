"""Keeps environments of a Lambda function ready, so that no request waits for one to start.

Lambda takes minutes to start them, also after the alias has moved to another version. It comes last in an upsert, so
that nothing else waits for that, and what is made without it is whole if they cannot be started.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.account.account import Account
from pedigree.account.plan import Act, ApiCall, Change, Wait

_READY, _FAILED = "READY", "FAILED"
_REMEDY = (
    "lower functions.predict.provisioned_concurrency in settings (0: none kept warm), or ask for more concurrent "
    "executions of Lambda under Service Quotas in the console"
)


@dataclass(frozen=True)
class ProvisionedConcurrency:
    """How many environments of a function's alias are kept ready; 0 is none."""

    function: str
    alias: str
    count: int

    def changes(self, account: Account) -> Iterator[Change]:
        """Requests the count, or waits for what was requested before."""
        config = account.find("lambda", "get_provisioned_concurrency_config", **self._qualified) or {}
        requested, status = config.get("RequestedProvisionedConcurrentExecutions", 0), config.get("Status", _READY)
        if requested == self.count and status == _READY:
            return
        acts, why = self._acts(requested, status), self._why(requested, config)
        yield Change("update", "provisioned concurrency", f"{self.function}:{self.alias}", acts, (why,))

    def _acts(self, requested: int, status: str) -> tuple[Act, ...]:
        if not self.count:
            return (ApiCall("lambda", "delete_provisioned_concurrency_config", self._qualified),)
        wanted = {**self._qualified, "ProvisionedConcurrentExecutions": self.count}
        is_requested = requested == self.count and status != _FAILED
        put = () if is_requested else (ApiCall("lambda", "put_provisioned_concurrency_config", wanted),)
        return (*put, self._started())

    def _started(self) -> Wait:
        return Wait(
            "lambda",
            "get_provisioned_concurrency_config",
            self._qualified,
            f"{self.count} warm environments of {self.function}",
            "Status",
            (_READY,),
            failed=(_FAILED,),
            reason="StatusReason",
            remedy=_REMEDY,
        )

    def _why(self, requested: int, config: Mapping[str, Any]) -> str:
        if requested != self.count:
            return f"{requested} kept warm, not {self.count}"
        if config["Status"] == _FAILED:
            return f"it failed: {config.get('StatusReason', 'no reason given')}"
        return f"{config.get('AvailableProvisionedConcurrentExecutions', 0)} of {requested} are warm yet"

    @property
    def _qualified(self) -> dict[str, str]:
        return {"FunctionName": self.function, "Qualifier": self.alias}
