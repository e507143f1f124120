"""Events that cannot be brought, and patterns that cannot be followed, hold up no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.kernel.world import World
from pedigree.localaws.moto.services import Records
from pedigree.localaws.services.events import patterns
from pedigree.localaws.services.events.deliveries import KIND as DELIVERY
from pedigree.localaws.services.events.deliveries import DeliveryQueue
from pedigree.localaws.services.events.operations import EventBridgeOperations
from pedigree.localaws.services.events.rules import KIND as EVENT
from pedigree.localaws.services.events.rules import RuleDispatcher
from tests.support.callers import until
from tests.support.calls import sent
from tests.support.worlds import world

DEEP = '{"a":' * 400 + "[1]" + "}" * 400


@dataclass
class Pattern:
    """A pattern as moto keeps it."""

    text: str

    def dump(self) -> str:
        return self.text


@dataclass
class Kept:
    """A rule as moto keeps it."""

    arn: str
    event_pattern: Pattern
    event_bus_name: str = "default"
    scheduled_expression: str = ""
    state: str = "ENABLED"
    targets: list[dict[str, str]] = field(default_factory=lambda: [{"Id": "a", "Arn": "arn:aws:sqs:us-east-1:1:a"}])


@dataclass
class Bus:
    """A bus with its rules."""

    rules: dict[str, Kept]


@dataclass
class Backend:
    """What moto holds of EventBridge."""

    event_buses: dict[str, Bus]


class Held:
    """Records of rules."""

    def __init__(self, *rules: Kept) -> None:
        self._backend = Backend({"default": Bus({one.arn: one for one in rules})})

    @contextmanager
    def held(self, _service: str, _region: str) -> Iterator[Backend]:
        yield self._backend


class NoMoto:
    """moto, which is asked for nothing."""

    def supports(self, _operation: str) -> bool:
        return False

    def __call__(self, exchange: Exchange) -> Response:
        raise LookupError(exchange.operation)


@pytest.fixture
def local(tmp_path: Path) -> World:
    return world(tmp_path)


def rules(local: World, *kept: Kept) -> RuleDispatcher:
    return RuleDispatcher(local, cast(Records, Held(*kept)), DeliveryQueue(local.store, local.clock, dict))


def told(local: World) -> list[str]:
    return [json.loads(one.body["body"])["source"] for one in local.store.entries(DELIVERY)]


def test_an_event_that_cannot_be_read_stays_and_the_others_are_brought(local: World) -> None:
    local.store.put(EVENT, "broken", {"bus": "default"})
    ours = rules(local, Kept("rule", Pattern('{"source": ["mine"]}')))
    ours.tell({"source": "mine"})
    ours.begin()
    until(lambda: told(local), ["mine"])
    ours.end()
    assert [one.name for one in local.store.entries(EVENT)] == ["broken"]


def test_a_pattern_that_is_too_deep_matches_nothing_and_holds_no_event_up(local: World) -> None:
    ours = rules(local, Kept("deep", Pattern(DEEP)), Kept("rule", Pattern('{"source": ["mine"]}')))
    ours.tell({"source": "mine"})
    ours.begin()
    until(lambda: told(local), ["mine"])
    ours.end()
    assert local.store.entries(EVENT) == []


def test_a_pattern_that_is_too_deep_is_none() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        patterns.checked(DEEP)


def test_an_event_that_is_too_deep_is_malformed(local: World) -> None:
    operations = EventBridgeOperations(local, rules(local), NoMoto())
    entries = [{"Source": "mine", "DetailType": "told", "Detail": detail} for detail in (DEEP, "{}")]
    answer = operations.put_events(sent("events", "put_events", Entries=entries))
    assert [one.get("ErrorCode") for one in answer["Entries"]] == ["MalformedDetail", None]
    assert len(local.store.entries(EVENT)) == 1
