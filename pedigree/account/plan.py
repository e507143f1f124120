"""The changes to an account, as data: a plan can be shown, tested and refused before anything happens.

A managed resource (the bucket, a role, a function, …) reads the account and returns the changes that bring it to the
settings. A change is a list of API calls; an argument that comes from the answer of an earlier call is a SavedValue.
Where AWS takes its time, a Wait stands between the calls. apply.py makes the calls, and plans again to check that
nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pedigree.account.account import Account

Verb = Literal["create", "update", "delete"]


@dataclass(frozen=True)
class SavedValue:
    """A value from the answer of an earlier call of the same change: the call's name and a path."""

    call: str
    path: str


@dataclass(frozen=True)
class ApiCall:
    """One API call by boto3's names. Its answer is saved under a name, for later calls."""

    service: str
    operation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    save_as: str = ""


@dataclass(frozen=True)
class Wait:
    """A reading call, repeated until the value at a path is a wanted one; without a path, until the resource is gone.

    A value that stands for failure ends it; the reason is read from a path of its own.
    """

    service: str
    operation: str
    arguments: Mapping[str, Any]
    what: str
    path: str = ""
    wanted: tuple[str, ...] = ()
    seconds: float = 900.0
    failed: tuple[str, ...] = ()
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class EmptyBucket:
    """Removes every version of every object under a prefix, in batches: too many to name in a plan."""

    bucket: str
    prefix: str = ""


class Stream(Protocol):
    """Bytes that are read once, from the first to the last."""

    def read(self, count: int = -1, /) -> bytes: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Upload:
    """Uploads one object, in parts if it is large, from a stream that is opened when it is needed."""

    bucket: str
    key: str
    size: int
    open: Callable[[], Stream]
    arguments: Mapping[str, Any] = field(default_factory=dict)


Act = ApiCall | Wait | EmptyBucket | Upload


@dataclass(frozen=True)
class Change:
    """One resource that is created, updated or deleted; why has a line for each difference."""

    verb: Verb
    kind: str
    name: str
    calls: tuple[Act, ...]
    why: tuple[str, ...] = ()


class ManagedResource(Protocol):
    """A resource that upsert brings to the settings."""

    def changes(self, account: Account) -> Iterable[Change]:
        """The changes that are needed; makes reading calls only."""
        ...


@dataclass(frozen=True)
class Plan:
    """The changes in their order."""

    changes: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.changes)

    def count(self, verb: Verb) -> int:
        return sum(change.verb == verb for change in self.changes)


def plan(resources: Iterable[ManagedResource], account: Account) -> Plan:
    """The changes that all resources need."""
    return Plan(tuple(_all_changes(resources, account)))


def _all_changes(resources: Iterable[ManagedResource], account: Account) -> Iterator[Change]:
    for resource in resources:
        yield from resource.changes(account)
