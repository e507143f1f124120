"""The context that every part of the local AWS gets: account, region, folder, store, clock, events.

The daemon makes one World. A test makes its own, with a clock of its own.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pedigree.clock import Clock, SystemClock
from pedigree.localaws.kernel.change_signal import ChangeSignal
from pedigree.localaws.kernel.event_bus import EventBus
from pedigree.localaws.kernel.interfaces import ObjectReader
from pedigree.localaws.kernel.store import Store

EVENT_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class World:
    """One local AWS: one account in one region on this machine."""

    account: str
    region: str
    folder: Path
    store: Store
    objects: ObjectReader
    clock: Clock = field(default_factory=SystemClock)
    bus: EventBus = field(default_factory=EventBus)
    signal: ChangeSignal = field(default_factory=ChangeSignal)

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def event(
        self,
        source: str,
        detail_type: str,
        detail: Mapping[str, Any],
        resources: Sequence[str] = (),
        time: dt.datetime | None = None,
    ) -> dict[str, Any]:
        """Return a new event in EventBridge's form; it happens now, unless a time is given."""
        moment = (time or self.clock.now()).astimezone(dt.timezone.utc)
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": self.account,
            "time": moment.strftime(EVENT_TIME),
            "region": self.region,
            "resources": list(resources),
            "detail": dict(detail),
        }

    def now(self) -> str:
        """Return the current time in the format of stored documents."""
        return self.clock.now().isoformat(timespec="milliseconds")
