"""What is going to be done to an account, as data: it can be shown, tested and refused before anything happens.

A part (the bucket, a role, a function, …) looks at the account with reading calls and says what must change for it to
be as settings have it. A change is a list of API calls; an argument that only an earlier call can answer is a Saved
value. Where AWS takes its time, a Wait stands between the calls. perform.py makes the calls; asking the
parts once more is how it knows that all is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pedigree.account.account import Account

Verb = Literal["create", "update", "delete"]


@dataclass(frozen=True)
class Saved:
    """A value from the answer of an earlier call of the same change: the call's name and a path."""

    call: str
    path: str


@dataclass(frozen=True)
class ApiCall:
    """One API call by boto3's names. Its answer is kept under the name in saves, for later calls."""

    service: str
    operation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    saves: str = ""


@dataclass(frozen=True)
class Wait:
    """A reading call, asked again until the value at a path is a wanted one; without a path, until it is gone.

    A value that stands for failure ends it: the reason lies at a path of its own, and the remedy is the asker's.
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
class Emptying:
    """Removes every version of every object under a prefix, in batches: too many to name in a plan."""

    bucket: str
    prefix: str = ""


Act = ApiCall | Wait | Emptying


@dataclass(frozen=True)
class Change:
    """One resource that is created, updated or deleted; why has a line for each difference."""

    verb: Verb
    kind: str
    name: str
    calls: tuple[Act, ...]
    why: tuple[str, ...] = ()


class Part(Protocol):
    """A resource that is to be as the settings have it."""

    def changes(self, account: Account) -> Iterable[Change]:
        """The changes that are needed, found by reading calls only."""
        ...


@dataclass(frozen=True)
class Plan:
    """The changes in their order."""

    changes: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.changes)

    def count(self, verb: Verb) -> int:
        return sum(change.verb == verb for change in self.changes)


def plan(parts: Iterable[Part], account: Account) -> Plan:
    """The changes that all parts need."""
    return Plan(tuple(_all_changes(parts, account)))


def _all_changes(parts: Iterable[Part], account: Account) -> Iterator[Change]:
    for part in parts:
        yield from part.changes(account)
