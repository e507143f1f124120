"""Scheduled actions are done once it is time, and again if nobody can know whether they were."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.autoscaling.scheduled_actions import ScheduledActions

BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
HOUR = dt.timedelta(hours=1)


def action(name: str = "night", schedule: str = "rate(1 hour)") -> dict[str, Any]:
    arn = f"arn:aws:autoscaling:us-east-1:123456789012:scheduledAction:{name}"
    return {"ScheduledActionARN": arn, "ScheduledActionName": name, "Schedule": schedule, "CreationTime": BEGIN}


class Days:
    """Actions at a time that a test sets, and after any number of restarts."""

    def __init__(self, folder: Path) -> None:
        self.now = BEGIN
        self._folder = folder
        self.actions = self.restarted()

    def restarted(self) -> ScheduledActions:
        self.actions = ScheduledActions(Store(self._folder / "state.sqlite"), lambda: self.now)
        return self.actions

    def due(self, *asked: dict[str, Any]) -> list[str]:
        return [one.action["ScheduledActionName"] for one in self.actions.due(asked)]


@pytest.fixture
def days(tmp_path: Path) -> Days:
    return Days(tmp_path)


def test_one_that_was_not_done_when_the_daemon_ended_is_due_again(days: Days) -> None:
    days.now = BEGIN + HOUR
    assert days.due(action()) == ["night"]
    days.restarted()
    assert days.due(action()) == ["night"]


def test_one_that_is_done_is_not_due_before_its_next_time(days: Days) -> None:
    assert days.due(action()) == []
    days.now = BEGIN + HOUR
    (due,) = days.actions.due([action()])
    days.actions.note(due)
    days.restarted()
    assert days.due(action()) == []
    days.now = BEGIN + 2 * HOUR
    assert days.due(action()) == ["night"]


def test_those_that_are_due_come_in_the_order_of_their_times(days: Days) -> None:
    days.now = BEGIN + 3 * HOUR
    late, early = action("late", "at(2026-01-01T02:30:00)"), action("early", "at(2026-01-01T00:30:00)")
    assert days.due(late, early) == ["early", "late"]


def test_one_without_times_is_never_due(days: Days) -> None:
    assert days.due(action(schedule="cron(nonsense)")) == []
