"""Scheduled actions: when each has been due last, which is kept, so that none is done twice or forgotten."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from localaws.functions.timing import Timed
from localaws.store import Store

_LOG = logging.getLogger(__name__)
_KIND = "scheduled-scaling"


class Actions:
    """The scheduled actions of a scalable target."""

    def __init__(self, store: Store, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._now = now
        self._unreadable: set[str] = set()

    def due(self, actions: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Those whose time has come since somebody asked last, the earliest first."""
        times = [(self._last(one), one) for one in actions]
        return [one for moment, one in sorted(times, key=lambda pair: str(pair[0])) if moment is not None]

    def _last(self, action: Mapping[str, Any]) -> dt.datetime | None:
        key = f"{action['ScheduledActionARN']} {action['Schedule']} {action.get('Timezone') or ''}"
        made, now = action["CreationTime"], self._now()
        kept = self._store.find(_KIND, key)
        seen = dt.datetime.fromisoformat(kept["seen"]) if kept else made
        timed = Timed(
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
        if due is not None or kept is None:
            self._store.put(_KIND, key, {"seen": (due or seen).isoformat()})
        return due

    def _tell(self, key: str, error: Exception) -> None:
        if key not in self._unreadable:
            self._unreadable.add(key)
            _LOG.warning("a scheduled action has no times, %s: %s", key, error)
