"""Reads the schedule in an account: its state, next times, values, and failed starts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pedigree.account.account import Account
from pedigree.account.timetable import fires
from pedigree.language.fields import differences
from pipeline.account import schedule
from pipeline.settings.tree import Settings

_WORDS = {"ENABLED": "fires", "DISABLED": "paused", "": "not made"}


@dataclass(frozen=True)
class Status:
    """The existing schedule, or the one that the settings would make."""

    name: str
    state: str
    members: Mapping[str, Any]
    times: tuple[str, ...] | None = ()
    differences: tuple[str, ...] = ()
    failed_starts: int | None = None
    kept_by_upsert: bool = False

    def document(self) -> dict[str, Any]:
        """The whole status, for programs."""
        return asdict(self)


def status(account: Account, settings: Settings) -> Status:
    """The status, found by reading calls only."""
    wanted = schedule.view(schedule.request(settings), account)
    existing = schedule.find(account, settings)
    letters = schedule.dead_letters(account, settings)
    members = wanted if existing is None else schedule.view(existing, account)
    return Status(
        name=settings.pipeline.name,
        state="" if existing is None else existing["State"],
        members=members,
        times=_times(members, account, None if existing is None else existing.get("CreationDate")),
        differences=() if existing is None else tuple(differences(members, wanted)),
        failed_starts=None if letters is None else letters.count,
        kept_by_upsert=settings.schedule.enabled,
    )


def lines(status: Status) -> Iterator[str]:
    """The status for people, line by line."""
    yield f"schedule {status.name}: {_WORDS.get(status.state, status.state)}"
    for name, value in status.members.items():
        if value not in ({}, [], ""):
            yield f"  {name:<14}{_value_text(value)}"
    yield from _time_lines(status)
    if status.failed_starts:
        yield f"  {status.failed_starts} starts have failed and lie in the queue of dead letters"
    if status.differences:
        yield "  the settings differ (`pedigree schedule make` updates it)"
        yield from (f"    {difference}" for difference in status.differences)
    if status.state and not status.kept_by_upsert:
        yield "  schedule.enabled = false: upsert leaves it as it is"


def _time_lines(status: Status) -> Iterator[str]:
    if status.times is None:
        yield "  when it fires is known to Scheduler only"
    elif not status.times:
        yield "  it never fires again"
    elif status.state != "DISABLED":
        yield "  next times" if status.state else "  next times, once it is made"
        yield from (f"    {time}" for time in status.times)


def _times(members: Mapping[str, Any], account: Account, since: dt.datetime | None) -> tuple[str, ...] | None:
    """The next times; None for an expression of a form that is not known here."""
    try:
        return tuple(fires(members["expression"], members["timezone"], account.clock.now(), since))
    except ValueError:
        return None


def _value_text(value: Any) -> str:
    return ", ".join(f"{name} = {entry}" for name, entry in value.items()) if isinstance(value, Mapping) else str(value)
