"""EventBridge's rules: which events they are for, and what their targets get.

An event is kept in the same transaction as the change that it tells of, and matched in a thread of its own; so none is
lost, and nobody waits for the targets.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.kernel.clients import EVENTS
from pedigree.localaws.kernel.event_bus import Event
from pedigree.localaws.kernel.loop import WakeableLoop
from pedigree.localaws.kernel.store import Entry
from pedigree.localaws.kernel.world import World
from pedigree.localaws.moto.services import Records
from pedigree.localaws.services.events import patterns, target_input
from pedigree.localaws.services.events.deliveries import DeliveryQueue
from pedigree.localaws.services.events.targets import target_delivery

_LOG = logging.getLogger(__name__)
_SERVICE = "events"
KIND = "event"
DEFAULT_BUS = "default"
_LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class EventRule:
    """A rule, with where its events go."""

    arn: str
    bus: str
    pattern: str
    schedule: str
    targets: Sequence[Mapping[str, Any]]


class RuleDispatcher:
    """Brings events to the targets of the rules that they match."""

    def __init__(self, world: World, records: Records, deliveries: DeliveryQueue) -> None:
        self._world = world
        self._records = records
        self._deliveries = deliveries
        self._loop = WakeableLoop("rules", self._look)
        self._told: set[str] = set()
        world.bus.subscribe(self.tell)

    def begin(self) -> None:
        """Take up the events that nobody has looked at."""
        self._loop.start()

    def end(self) -> None:
        """Look at no more; they are kept."""
        self._loop.stop()

    def tell(self, event: Event, bus: str = DEFAULT_BUS) -> None:
        """Keep an event of a bus, and let its rules be found."""
        self._world.store.put(KIND, str(uuid.uuid4()), {"bus": bus, "event": dict(event)})
        self._loop.wake()

    def bus_of(self, name_or_arn: str | None) -> str | None:
        """The name of a bus; None if there is none."""
        name = (name_or_arn or DEFAULT_BUS).rpartition("event-bus/")[2]
        with self._records.held(_SERVICE, self._world.region) as backend:
            return name if name in backend.event_buses else None

    def all(self) -> list[EventRule]:
        """The rules that are enabled."""
        with self._records.held(_SERVICE, self._world.region) as backend:
            rules = [rule for bus in backend.event_buses.values() for rule in bus.rules.values()]
            return [_rule(one) for one in rules if not one.state.startswith("DISABLED")]

    def fire(self, rule: EventRule, event: Event) -> None:
        """Bring an event to all targets of a rule."""
        for target in rule.targets:
            try:
                body, by = target_input.body(target, event, rule.arn), (EVENTS, rule.arn)
                delivery = target_delivery(target, body, self._deliveries.now(), by, about={"RULE_ARN": rule.arn})
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                _LOG.warning("target %s of rule %s gets nothing: %s", target.get("Id"), rule.arn, error)
                continue
            self._deliveries.add(delivery)

    def _look(self) -> float:
        for entry in self._world.store.entries(KIND):
            try:
                self._look_at(entry)
            except Exception:  # noqa: BLE001  # a full disk, or a bug: the event is kept, and the others have their turn
                self._tell(entry.name)
        return _LOOK_SECONDS

    def _tell(self, name: str) -> None:
        """Log what holds an event up, once."""
        if name not in self._told:
            self._told.add(name)
            _LOG.exception("event %s reaches nobody yet", name)

    def _look_at(self, entry: Entry) -> None:
        matching = [rule for rule in self.all() if _is_for(rule, entry.body)]
        with self._world.store.transaction():
            for rule in matching:
                self.fire(rule, entry.body["event"])
            self._world.store.remove(KIND, entry.name)


def _rule(one: Any) -> EventRule:
    pattern = one.event_pattern.dump() or ""
    targets = tuple(json.loads(json.dumps(target)) for target in one.targets)
    return EventRule(one.arn, one.event_bus_name, pattern, one.scheduled_expression or "", targets)


def _is_for(rule: EventRule, told: Mapping[str, Any]) -> bool:
    if not rule.pattern or rule.bus != told["bus"]:
        return False
    try:
        return patterns.matches(patterns.checked(rule.pattern), told["event"])
    except (ValueError, RecursionError) as error:
        _LOG.warning("rule %s matches nothing: %s", rule.arn, error)
        return False
