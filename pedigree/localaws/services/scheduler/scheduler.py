"""What fires by the clock: the schedules of EventBridge Scheduler, and EventBridge's rules that have a schedule.

How far each has fired is kept with what it has set going, in one transaction. So a daemon that was killed neither
forgets a time nor takes it twice. Of several times that went by while no daemon ran, only the last is made up for: a
machine that slept for a night does not wake up to hundreds of executions.
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
from pedigree.localaws.kernel.world import World
from pedigree.localaws.moto.services import Records
from pedigree.localaws.services.events.deliveries import DAY, DeliveryQueue
from pedigree.localaws.services.events.rules import EventRule, RuleDispatcher
from pedigree.localaws.services.events.targets import target_delivery
from pedigree.localaws.services.scheduler.triggers import JUST_BEFORE, Trigger

_LOG = logging.getLogger(__name__)
KIND = "schedule"
_SERVICES = ("scheduler", "events")
_LONGEST_WAIT = 30.0


class Scheduler:
    """Fires what is due."""

    def __init__(
        self, world: World, records: Records, rules: RuleDispatcher, deliveries: DeliveryQueue, clients: Clients
    ) -> None:
        self._world = world
        self._records = records
        self._rules = rules
        self._deliveries = deliveries
        self._clients = clients
        self._loop = WakeableLoop("scheduler", self._look)
        records.listen(self._hear)

    def begin(self) -> None:
        """Fire from now on."""
        self._loop.start()

    def end(self) -> None:
        """Fire no more."""
        self._loop.stop()

    def _hear(self, service: str) -> None:
        if service in _SERVICES:
            self._loop.wake()

    def _look(self) -> float:
        return min([_LONGEST_WAIT, *(self._look_at(one) for one in self._all())])

    def _all(self) -> list[Trigger]:
        with self._records.held("scheduler", self._world.region) as backend:
            known = [json.loads(json.dumps(one.to_dict())) for one in _each(backend)]
        enabled = [one for one in known if one["State"] == "ENABLED"]
        rules = [rule for rule in self._rules.all() if rule.schedule]
        timed = [*(self._of_schedule(one) for one in enabled), *(self._of_rule(rule) for rule in rules)]
        self._put_aside({one.key for one in timed}, {one["Arn"] for one in known})
        return timed

    def _put_aside(self, firing: set[str], known: set[str]) -> None:
        """Note which schedules are paused, and forget those that are gone."""
        for entry in self._world.store.entries(KIND):
            if entry.name in known - firing and not entry.body.get("is_paused"):
                self._world.store.put(KIND, entry.name, {**entry.body, "is_paused": True})
            elif entry.name not in known | firing:
                self._world.store.remove(KIND, entry.name)

    def _look_at(self, timed: Trigger) -> float:
        """Fire, if it is time; how long until the next time."""
        now = self._world.clock.now()
        try:
            return self._fired(timed, now)
        except (ValueError, KeyError, OverflowError) as error:
            _LOG.warning("%s cannot fire: %s", timed.key, error)
        except Exception:  # noqa: BLE001  # a full disk, or a bug: the others have their turn
            _LOG.exception("%s", timed.key)
        return _LONGEST_WAIT

    def _fired(self, timed: Trigger, now: dt.datetime) -> float:
        known = self._known(timed, now)
        seen, since = (dt.datetime.fromisoformat(known[key]) for key in ("seen", "since"))
        due, following = timed.around(seen, since, now)
        if due is not None:
            with self._world.store.transaction():
                timed.fire(due)
                self._world.store.put(KIND, timed.key, {**known, "seen": due.astimezone(dt.timezone.utc).isoformat()})
        if following is None:
            if timed.when_over is not None:
                timed.when_over()
            return _LONGEST_WAIT
        return (following - now).total_seconds()

    def _known(self, timed: Trigger, now: dt.datetime) -> Mapping[str, Any]:
        """How far it has fired; one that is new, or has changed, begins anew."""
        what = f"{timed.expression} {timed.timezone} {timed.since}"
        known = self._world.store.find(KIND, timed.key)
        if known is None or known["what"] != what:
            made = timed.made or now
            begin = made - JUST_BEFORE if timed.is_first_at_once else made
            known = {"what": what, "seen": begin.isoformat(), "since": made.isoformat()}
            self._world.store.put(KIND, timed.key, known)
        elif known.get("is_paused"):
            known = {**known, "seen": now.isoformat(), "is_paused": False}
            self._world.store.put(KIND, timed.key, known)
        return known

    def _of_schedule(self, one: Mapping[str, Any]) -> Trigger:
        retries = one["Target"].get("RetryPolicy") or {}

        def fire(time: dt.datetime) -> None:
            target, name = one["Target"], str(uuid.uuid4())
            body = _body(self._world, one, time, name)
            by = (SCHEDULER, self._world.arn("scheduler", f"schedule-group/{one['GroupName']}"))
            delivery = target_delivery(target, body, self._deliveries.now(), by, about={"SCHEDULE_ARN": one["Arn"]})
            self._deliveries.add(delivery, name)

        def remove() -> None:
            try:
                self._clients("scheduler").delete_schedule(Name=one["Name"], GroupName=one["GroupName"])
            except (ClientError, BotoCoreError) as error:
                _LOG.warning("%s is over and could not be removed: %s", one["Arn"], error)

        return Trigger(
            key=one["Arn"],
            expression=one["ScheduleExpression"],
            timezone=one["ScheduleExpressionTimezone"],
            since=_moment(one["StartDate"]),
            made=_moment(one["LastModificationDate"]),
            end=_moment(one["EndDate"]),
            fire=fire,
            is_first_at_once=True,
            oldest=float(retries.get("MaximumEventAgeInSeconds", DAY)),
            when_over=remove if one["ActionAfterCompletion"] == "DELETE" else None,
        )

    def _of_rule(self, rule: EventRule) -> Trigger:
        def fire(time: dt.datetime) -> None:
            self._rules.fire(rule, _event(self._world, "aws.events", rule.arn, time))

        return Trigger(key=rule.arn, expression=rule.schedule, timezone="UTC", since=None, fire=fire)


def _each(backend: Any) -> Iterator[Any]:
    for group in backend.schedule_groups.values():
        yield from group.schedules.values()


def _moment(told: Any) -> dt.datetime | None:
    if not told:
        return None
    return dt.datetime.fromtimestamp(float(told), dt.timezone.utc)


def _event(world: World, source: str, arn: str, time: dt.datetime) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": source,
        "account": world.account,
        "time": time.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": world.region,
        "resources": [arn],
        "detail": {},
    }


def _body(world: World, one: Mapping[str, Any], time: dt.datetime, name: str) -> str:
    """What the target gets: the schedule's own input with what it asks for, or that it has fired."""
    told = one["Target"].get("Input")
    if told is None:
        return json.dumps(_event(world, "aws.scheduler", one["Arn"], time))
    values = {
        "schedule-arn": one["Arn"],
        "scheduled-time": time.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": name,
        "attempt-number": "1",
    }
    text = str(told)
    for key, value in values.items():
        text = text.replace(f"<aws.scheduler.{key}>", value)
    return text
