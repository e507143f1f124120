"""Fires the schedules of EventBridge Scheduler, and EventBridge's rules that have a schedule.

The last time that each has fired is stored in one transaction with the delivery. So a daemon that was killed neither
misses a time nor fires it twice. Of several times that passed while no daemon ran, only the last fires: a laptop that
slept for a night does not wake up to hundreds of executions.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pedigree.localaws.kernel.clients import SCHEDULER, Clients
from pedigree.localaws.kernel.loop import WakeableLoop
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import EVENT_TIME, World
from pedigree.localaws.moto.backends import MotoBackends
from pedigree.localaws.services.events.deliveries import DAY, DeliveryQueue
from pedigree.localaws.services.events.rules import EventRule, RuleDispatcher
from pedigree.localaws.services.events.targets import target_delivery
from pedigree.localaws.services.scheduler.triggers import JUST_BEFORE, Trigger

_LOG = logging.getLogger(__name__)
KIND = "schedule"
_SERVICES = ("scheduler", "events")
_MAX_WAIT_SECONDS = 30.0
_SCHEDULED_EVENT = "Scheduled Event"


class Scheduler:
    """Fires triggers when they are due."""

    def __init__(
        self, world: World, backends: MotoBackends, rules: RuleDispatcher, deliveries: DeliveryQueue, clients: Clients
    ) -> None:
        self._world = world
        self._backends = backends
        self._rules = rules
        self._deliveries = deliveries
        self._clients = clients
        self._loop = WakeableLoop("scheduler", self._fire_due)
        backends.on_change(self._on_change)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def _on_change(self, service: str) -> None:
        if service in _SERVICES:
            self._loop.wake()

    def _fire_due(self) -> float:
        return min([_MAX_WAIT_SECONDS, *(self._fire_if_due(trigger) for trigger in self._enabled_triggers())])

    def _enabled_triggers(self) -> list[Trigger]:
        with self._backends.backend("scheduler", self._world.region) as backend:
            schedules = [json.loads(json.dumps(schedule.to_dict())) for schedule in _schedules(backend)]
        enabled = [schedule for schedule in schedules if schedule["State"] == "ENABLED"]
        rules = [rule for rule in self._rules.enabled_rules() if rule.schedule]
        triggers = [
            *(self._schedule_trigger(schedule) for schedule in enabled),
            *(self._rule_trigger(rule) for rule in rules),
        ]
        self._update_paused({trigger.key for trigger in triggers}, {schedule["Arn"] for schedule in schedules})
        return triggers

    def _update_paused(self, enabled: set[str], existing: set[str]) -> None:
        """Store which schedules are paused, and remove the documents of deleted ones."""
        for entry in self._world.store.entries(KIND):
            if entry.name in existing - enabled and not entry.body.get("is_paused"):
                self._world.store.put(KIND, entry.name, {**entry.body, "is_paused": True})
            elif entry.name not in existing | enabled:
                self._world.store.remove(KIND, entry.name)

    def _fire_if_due(self, trigger: Trigger) -> float:
        """Fire a trigger if it is due, and return the seconds until its next time."""
        now = self._world.clock.now()
        try:
            return self._fire(trigger, now)
        except (ValueError, KeyError, OverflowError) as error:
            _LOG.warning("%s cannot fire: %s", trigger.key, error)
        except Exception:  # noqa: BLE001  # a full disk or a bug must not hold up the other triggers
            _LOG.exception("%s", trigger.key)
        return _MAX_WAIT_SECONDS

    def _fire(self, trigger: Trigger, now: dt.datetime) -> float:
        progress = self._progress(trigger, now)
        last_fired, anchor = (dt.datetime.fromisoformat(progress[key]) for key in ("seen", "since"))
        due, following = trigger.due_and_next(last_fired, anchor, now)
        if due is not None:
            with self._world.store.transaction():
                trigger.fire(due)
                fired = {**progress, "seen": due.astimezone(dt.timezone.utc).isoformat()}
                self._world.store.put(KIND, trigger.key, fired)
        if following is None:
            if trigger.on_completion is not None:
                trigger.on_completion()
            return _MAX_WAIT_SECONDS
        return (following - now).total_seconds()

    def _progress(self, trigger: Trigger, now: dt.datetime) -> Document:
        """Return when a trigger last fired; a new or modified one starts again."""
        identity = f"{trigger.expression} {trigger.timezone} {trigger.start}"
        progress = self._world.store.find(KIND, trigger.key)
        if progress is None or progress["what"] != identity:
            anchor = trigger.modified or now
            last_fired = anchor - JUST_BEFORE if trigger.fires_at_start else anchor
            progress = {"what": identity, "seen": last_fired.isoformat(), "since": anchor.isoformat()}
            self._world.store.put(KIND, trigger.key, progress)
        elif progress.get("is_paused"):
            progress = {**progress, "seen": now.isoformat(), "is_paused": False}
            self._world.store.put(KIND, trigger.key, progress)
        return progress

    def _schedule_trigger(self, schedule: Mapping[str, Any]) -> Trigger:
        retry_policy = schedule["Target"].get("RetryPolicy") or {}

        def fire(time: dt.datetime) -> None:
            delivery_id = str(uuid.uuid4())
            body = _target_input(self._world, schedule, time, delivery_id)
            source = (SCHEDULER, self._world.arn("scheduler", f"schedule-group/{schedule['GroupName']}"))
            now, about = self._deliveries.now(), {"SCHEDULE_ARN": schedule["Arn"]}
            self._deliveries.add(target_delivery(schedule["Target"], body, now, source, about=about), delivery_id)

        def delete() -> None:
            client = self._clients("scheduler")
            try:
                client.delete_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"])
            except (ClientError, BotoCoreError) as error:
                _LOG.warning("%s has completed and could not be deleted: %s", schedule["Arn"], error)

        return Trigger(
            key=schedule["Arn"],
            expression=schedule["ScheduleExpression"],
            timezone=schedule["ScheduleExpressionTimezone"],
            start=_moment(schedule["StartDate"]),
            modified=_moment(schedule["LastModificationDate"]),
            end=_moment(schedule["EndDate"]),
            fire=fire,
            fires_at_start=True,
            max_age_seconds=float(retry_policy.get("MaximumEventAgeInSeconds", DAY)),
            on_completion=delete if schedule["ActionAfterCompletion"] == "DELETE" else None,
        )

    def _rule_trigger(self, rule: EventRule) -> Trigger:
        def fire(time: dt.datetime) -> None:
            event = self._world.event("aws.events", _SCHEDULED_EVENT, {}, [rule.arn], time)
            self._rules.send_to_targets(rule, event)

        return Trigger(key=rule.arn, expression=rule.schedule, timezone="UTC", start=None, fire=fire)


def _schedules(backend: Any) -> Iterator[Any]:
    for group in backend.schedule_groups.values():
        yield from group.schedules.values()


def _moment(timestamp: Any) -> dt.datetime | None:
    if not timestamp:
        return None
    return dt.datetime.fromtimestamp(float(timestamp), dt.timezone.utc)


def _target_input(world: World, schedule: Mapping[str, Any], time: dt.datetime, execution_id: str) -> str:
    """Return the schedule's own input with its context attributes, or a scheduled event."""
    text = schedule["Target"].get("Input")
    if text is None:
        return json.dumps(world.event("aws.scheduler", _SCHEDULED_EVENT, {}, [schedule["Arn"]], time))
    attributes = {
        "schedule-arn": schedule["Arn"],
        "scheduled-time": time.astimezone(dt.timezone.utc).strftime(EVENT_TIME),
        "execution-id": execution_id,
        "attempt-number": "1",
    }
    text = str(text)
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text
