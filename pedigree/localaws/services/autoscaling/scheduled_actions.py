"""Scheduled actions of scalable targets: when each was last carried out is stored, so that none is missed.

An action is stored as done after it was carried out. So it may be carried out twice, which changes nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.kernel.once_logger import OnceLogger
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.scheduler.triggers import Trigger

_LOG = logging.getLogger(__name__)
_KIND = "scheduled-scaling"


@dataclass(frozen=True)
class DueAction:
    """An action that is due, and since when."""

    action: Mapping[str, Any]
    moment: dt.datetime


class ScheduledActions:
    """Finds the actions that are due, and stores which are done."""

    def __init__(self, store: Store, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._now = now
        self._once = OnceLogger(_LOG)

    def due(self, actions: Iterable[Mapping[str, Any]]) -> list[DueAction]:
        """Return the actions that have become due since they were last done, the earliest first."""
        moments = [(action, self._due_moment(action)) for action in actions]
        due = [DueAction(action, moment) for action, moment in moments if moment is not None]
        return sorted(due, key=lambda action: action.moment)

    def mark_done(self, due: DueAction) -> None:
        """Store that an action was carried out."""
        self._store.put(_KIND, _key(due.action), {"seen": due.moment.isoformat()})

    def _due_moment(self, action: Mapping[str, Any]) -> dt.datetime | None:
        key, created = _key(action), action["CreationTime"]
        done = self._store.find(_KIND, key)
        last_done = dt.datetime.fromisoformat(done["seen"]) if done else created
        trigger = Trigger(
            key,
            action["Schedule"],
            action.get("Timezone") or "UTC",
            action.get("StartTime"),
            lambda _moment: None,
            end=action.get("EndTime"),
        )
        try:
            due, _ = trigger.due_and_next(last_done, created, self._now())
        except (ValueError, KeyError) as error:
            self._once.warning(key, "the schedule of a scheduled action cannot be read, %s: %s", key, error)
            return None
        return due


def _key(action: Mapping[str, Any]) -> str:
    """Return the identity of an action; another schedule makes it another action."""
    return f"{action['ScheduledActionARN']} {action['Schedule']} {action.get('Timezone') or ''}"
