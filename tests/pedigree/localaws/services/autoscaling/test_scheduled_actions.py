"""ScheduledActions: an action is due at its time, and again if it may not have been done."""

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


class Actions:
    """Scheduled actions at a time that the test sets, and after restarts of the daemon."""

    def __init__(self, folder: Path) -> None:
        self.now = BEGIN
        self._folder = folder
        self.scheduled = self.restart()

    def restart(self) -> ScheduledActions:
        self.scheduled = ScheduledActions(Store(self._folder / "state.sqlite"), lambda: self.now)
        return self.scheduled

    def due(self, *actions: dict[str, Any]) -> list[str]:
        return [due.action["ScheduledActionName"] for due in self.scheduled.due(actions)]


@pytest.fixture
def actions(tmp_path: Path) -> Actions:
    return Actions(tmp_path)


def test_an_action_that_was_not_done_before_a_restart_is_due_again(actions: Actions) -> None:
    actions.now = BEGIN + HOUR
    assert actions.due(action()) == ["night"]
    actions.restart()
    assert actions.due(action()) == ["night"]


def test_an_action_that_is_done_is_not_due_before_its_next_time(actions: Actions) -> None:
    assert actions.due(action()) == []
    actions.now = BEGIN + HOUR
    (due,) = actions.scheduled.due([action()])
    actions.scheduled.mark_done(due)
    actions.restart()
    assert actions.due(action()) == []
    actions.now = BEGIN + 2 * HOUR
    assert actions.due(action()) == ["night"]


def test_due_actions_come_in_the_order_of_their_times(actions: Actions) -> None:
    actions.now = BEGIN + 3 * HOUR
    late, early = action("late", "at(2026-01-01T02:30:00)"), action("early", "at(2026-01-01T00:30:00)")
    assert actions.due(late, early) == ["early", "late"]


def test_an_action_with_a_malformed_schedule_is_never_due(actions: Actions) -> None:
    assert actions.due(action(schedule="cron(nonsense)")) == []
