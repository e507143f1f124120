"""EventBridge's rules: matches events to rules, and queues a delivery for each target of a matching rule.

An event is stored in the same transaction as the change that it reports, and matched in another thread. So no event
is lost, and no change waits for a target.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.kernel.clients import EVENTS
from pedigree.localaws.kernel.event_bus import Event
from pedigree.localaws.kernel.loop import WakeableLoop
from pedigree.localaws.kernel.once_logger import OnceLogger
from pedigree.localaws.kernel.store import Entry
from pedigree.localaws.kernel.world import World
from pedigree.localaws.moto.backends import MotoBackends
from pedigree.localaws.services.events import pattern_syntax, patterns, target_input
from pedigree.localaws.services.events.archives import ARCHIVE_TARGET, ArchivedEvents
from pedigree.localaws.services.events.deliveries import DeliveryQueue
from pedigree.localaws.services.events.targets import target_delivery

_LOG = logging.getLogger(__name__)
_SERVICE = "events"
KIND = "event"
DEFAULT_BUS = "default"
_POLL_SECONDS = 5.0


@dataclass(frozen=True)
class EventRule:
    """A rule of an event bus, with a pattern or a schedule."""

    arn: str
    bus: str
    pattern: str
    schedule: str
    targets: Sequence[Mapping[str, Any]]


class RuleDispatcher:
    """Sends events to the targets of the rules that they match."""

    def __init__(self, world: World, backends: MotoBackends, deliveries: DeliveryQueue) -> None:
        self._world = world
        self._backends = backends
        self._deliveries = deliveries
        self._loop = WakeableLoop("rules", self._dispatch_stored)
        self._once = OnceLogger(_LOG)
        self._lock = threading.Lock()
        self._rules: Sequence[EventRule] | None = None
        self._version = 0
        backends.on_change(self._forget_rules)
        world.bus.subscribe(self.put_event)

    def start(self) -> None:
        """Dispatch stored events, those of an earlier daemon included."""
        self._loop.start()

    def stop(self) -> None:
        """Stop; stored events wait for the next daemon."""
        self._loop.stop()

    def put_event(self, event: Event, bus: str = DEFAULT_BUS, only: Collection[str] = ()) -> None:
        """Store an event, and dispatch it soon, to some rules only if they are named. Drop one that no rule matches."""
        stored, rules = {"bus": bus, "event": dict(event), "only": sorted(only)}, self._rules
        if rules is None or any(_is_match(rule, stored) for rule in rules):
            self._world.store.put(KIND, str(uuid.uuid4()), stored)
            self._loop.wake()

    def find_bus(self, name_or_arn: str | None) -> str | None:
        """Return the name of an event bus, or None if it does not exist."""
        name = (name_or_arn or DEFAULT_BUS).rpartition("event-bus/")[2]
        with self._backends.backend(_SERVICE, self._world.region) as backend:
            return name if name in backend.event_buses else None

    def enabled_rules(self) -> list[EventRule]:
        with self._backends.backend(_SERVICE, self._world.region) as backend:
            rules = [rule for bus in backend.event_buses.values() for rule in bus.rules.values()]
            return [_event_rule(rule) for rule in rules if not rule.state.startswith("DISABLED")]

    def send_to_targets(self, rule: EventRule, event: Event) -> None:
        """Queue a delivery of an event for every target of a rule."""
        for target in rule.targets:
            try:
                body, source = target_input.render(target, event, rule.arn), (EVENTS, rule.arn)
                if target["Arn"].endswith(ARCHIVE_TARGET):
                    ArchivedEvents(self._world.store).add(body)
                    continue
                delivery = target_delivery(target, body, self._deliveries.now(), source, about={"RULE_ARN": rule.arn})
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                _LOG.warning("target %s of rule %s gets nothing: %s", target.get("Id"), rule.arn, error)
                continue
            self._deliveries.add(delivery)

    def _forget_rules(self, service: str) -> None:
        if service == _SERVICE:
            with self._lock:
                self._version, self._rules = self._version + 1, None
            self._loop.wake()

    def _current_rules(self) -> Sequence[EventRule]:
        """Read the enabled rules, and remember them until one changes."""
        version = self._version
        rules = self.enabled_rules()
        with self._lock:
            if version == self._version:
                self._rules = rules
        return rules

    def _dispatch_stored(self) -> float:
        rules = self._current_rules()
        for entry in self._world.store.entries(KIND):
            try:
                self._dispatch(entry, rules)
            except Exception:  # noqa: BLE001  # a full disk or a bug: this event stays stored, and the others go on
                self._once.exception(entry.name, "event %s cannot be dispatched yet", entry.name)
        return _POLL_SECONDS

    def _dispatch(self, entry: Entry, rules: Sequence[EventRule]) -> None:
        matching = [rule for rule in rules if _is_match(rule, entry.body)]
        with self._world.store.transaction():
            for rule in matching:
                self.send_to_targets(rule, entry.body["event"])
            self._world.store.remove(KIND, entry.name)


def _event_rule(rule: Any) -> EventRule:
    """Copy one of moto's rules."""
    pattern = rule.event_pattern.dump() or ""
    targets = tuple(json.loads(json.dumps(target)) for target in rule.targets)
    return EventRule(rule.arn, rule.event_bus_name, pattern, rule.scheduled_expression or "", targets)


def _is_match(rule: EventRule, stored: Mapping[str, Any]) -> bool:
    if not rule.pattern or rule.bus != stored["bus"] or (stored.get("only") and rule.arn not in stored["only"]):
        return False
    try:
        return patterns.matches(pattern_syntax.parse(rule.pattern), stored["event"])
    except (ValueError, RecursionError) as error:
        _LOG.warning("rule %s matches nothing: %s", rule.arn, error)
        return False
