"""Scheduled actions: when each was done last, which is kept, so that none is forgotten, whenever the daemon ends.

That one is done is noted after it was; so one may be done twice, which changes nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.scheduler.triggers import Trigger

_LOG = logging.getLogger(__name__)
_KIND = "scheduled-scaling"


@dataclass(frozen=True)
class DueAction:
    """An action whose time has come, and when that was."""

    action: Mapping[str, Any]
    moment: dt.datetime


class ScheduledActions:
    """The scheduled actions of a scalable target."""

    def __init__(self, store: Store, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._now = now
        self._unreadable: set[str] = set()

    def due(self, actions: Iterable[Mapping[str, Any]]) -> list[DueAction]:
        """Those whose time has come since they were done last, the earliest first."""
        times = [(one, self._last(one)) for one in actions]
        found = [DueAction(one, moment) for one, moment in times if moment is not None]
        return sorted(found, key=lambda one: one.moment)

    def note(self, done: DueAction) -> None:
        """Keep that an action was done."""
        self._store.put(_KIND, _key(done.action), {"seen": done.moment.isoformat()})

    def _last(self, action: Mapping[str, Any]) -> dt.datetime | None:
        key = _key(action)
        made, now = action["CreationTime"], self._now()
        kept = self._store.find(_KIND, key)
        seen = dt.datetime.fromisoformat(kept["seen"]) if kept else made
        timed = Trigger(
            key,
            action["Schedule"],
            action.get("Timezone") or "UTC",
            action.get("StartTime"),
            lambda _moment: None,
            end=action.get("EndTime"),
        )
        try:
            due, _ = timed.around(seen, made, now)
        except (ValueError, KeyError) as error:
            self._tell(key, error)
            return None
        return due

    def _tell(self, key: str, error: Exception) -> None:
        if key not in self._unreadable:
            self._unreadable.add(key)
            _LOG.warning("a scheduled action has no times, %s: %s", key, error)


def _key(action: Mapping[str, Any]) -> str:
    """What an action is known by: one that is due at other times is another one."""
    return f"{action['ScheduledActionARN']} {action['Schedule']} {action.get('Timezone') or ''}"
