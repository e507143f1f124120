"""Keeps the events of archives, which moto's own state is too slow for, until they are replayed or too old.

moto makes a rule for each archive, whose target's input names the archive; rules.py hands that here.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.kernel.event_bus import Event
from pedigree.localaws.kernel.store import Store

KIND = "archived-event"
ARCHIVE_TARGET = ":::"
"""What the ARN of an archive's target ends with: AWS's own queue of archived events."""
_TIME_BYTES = 14


@dataclass(frozen=True)
class ArchivedEvents:
    """The events of all archives; an archive is known by the identifier that moto gave it."""

    _store: Store

    def add(self, target_input: str) -> None:
        """Keep the event in the input of an archive's target."""
        said = json.loads(target_input)
        archive = str(said["archive-arn"]).rpartition(":")[2]
        self._store.put(KIND, f"{archive}/{uuid.uuid4()}", {"event": said["event"]})

    def all(self, archive: str) -> list[Event]:
        """List the events of an archive, the first that came first."""
        return [entry.body["event"] for entry in self._store.entries(KIND, f"{archive}/")]

    def between(self, archive: str, start: float, end: float) -> list[Event]:
        """List the events that happened in a span of time."""
        return [event for event in self.all(archive) if start <= _seconds(event) < end]

    def remove_before(self, archive: str, limit: float) -> None:
        """Forget the events of an archive that are older than its retention."""
        for entry in self._store.entries(KIND, f"{archive}/"):
            if _seconds(entry.body["event"]) < limit:
                self._store.remove(KIND, entry.name)


def size(event: Mapping[str, Any]) -> int:
    """Return the bytes that an event counts in an archive."""
    detail = json.dumps(event["detail"], separators=(",", ":"), ensure_ascii=False)
    texts = (event["source"], event["detail-type"], event["account"], detail, *event["resources"])
    return _TIME_BYTES + sum(len(text.encode()) for text in texts)


def _seconds(event: Event) -> float:
    return dt.datetime.fromisoformat(str(event["time"]).replace("Z", "+00:00")).timestamp()
