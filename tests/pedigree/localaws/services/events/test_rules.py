"""RuleDispatcher: an unreadable event or pattern holds up no other event."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from pedigree.localaws.kernel.world import World
from pedigree.localaws.moto.backends import MotoBackends
from pedigree.localaws.services.events import pattern_syntax
from pedigree.localaws.services.events.deliveries import KIND as DELIVERY
from pedigree.localaws.services.events.deliveries import DeliveryQueue
from pedigree.localaws.services.events.operations import EventBridgeOperations
from pedigree.localaws.services.events.rules import KIND as EVENT
from pedigree.localaws.services.events.rules import RuleDispatcher
from tests.support.calls import sent
from tests.support.waiting import until
from tests.support.worlds import world

DEEP = '{"a":' * 400 + "[1]" + "}" * 400


@dataclass
class Pattern:
    """A pattern in moto's state."""

    text: str

    def dump(self) -> str:
        return self.text


@dataclass
class MotoRule:
    """A rule in moto's state."""

    arn: str
    event_pattern: Pattern
    event_bus_name: str = "default"
    scheduled_expression: str = ""
    state: str = "ENABLED"
    targets: list[dict[str, str]] = field(default_factory=lambda: [{"Id": "a", "Arn": "arn:aws:sqs:us-east-1:1:a"}])


@dataclass
class MotoBus:
    """An event bus in moto's state."""

    rules: dict[str, MotoRule]


@dataclass
class Backend:
    """moto's state of EventBridge."""

    event_buses: dict[str, MotoBus]


class FakeBackends:
    """Stands for moto's records, with some rules."""

    def __init__(self, *rules: MotoRule) -> None:
        self._backend = Backend({"default": MotoBus({rule.arn: rule for rule in rules})})

    @contextmanager
    def backend(self, _service: str, _region: str) -> Iterator[Backend]:
        yield self._backend

    def on_change(self, _listener: Callable[[str], None]) -> None:
        """Nothing changes here."""


@pytest.fixture
def local(tmp_path: Path) -> World:
    return world(tmp_path)


def dispatcher(local: World, *rules: MotoRule) -> RuleDispatcher:
    return RuleDispatcher(local, cast(MotoBackends, FakeBackends(*rules)), DeliveryQueue(local.store, local.clock))


def delivered_sources(local: World) -> list[str]:
    return [json.loads(entry.body["body"])["source"] for entry in local.store.entries(DELIVERY)]


def test_an_unreadable_event_stays_stored_and_the_others_are_delivered(local: World) -> None:
    local.store.put(EVENT, "broken", {"bus": "default"})
    rules = dispatcher(local, MotoRule("rule", Pattern('{"source": ["mine"]}')))
    rules.put_event({"source": "mine"})
    rules.start()
    until(lambda: delivered_sources(local), ["mine"])
    rules.stop()
    assert [entry.name for entry in local.store.entries(EVENT)] == ["broken"]


def test_a_pattern_that_is_nested_too_deeply_matches_nothing_and_holds_up_no_event(local: World) -> None:
    rules = dispatcher(local, MotoRule("deep", Pattern(DEEP)), MotoRule("rule", Pattern('{"source": ["mine"]}')))
    rules.put_event({"source": "mine"})
    rules.start()
    until(lambda: delivered_sources(local), ["mine"])
    rules.stop()
    assert local.store.entries(EVENT) == []


def test_a_pattern_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        pattern_syntax.parse(DEEP)


def test_an_event_that_is_nested_too_deeply_is_malformed(local: World) -> None:
    operations = EventBridgeOperations(local, dispatcher(local))
    entries = [{"Source": "mine", "DetailType": "changed", "Detail": detail} for detail in (DEEP, "{}")]
    answer = operations.put_events(sent("events", "put_events", Entries=entries))
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == ["MalformedDetail", None]
    assert len(local.store.entries(EVENT)) == 1


def test_an_event_that_no_rule_matches_is_not_stored_once_the_rules_are_known(local: World) -> None:
    rules = dispatcher(local, MotoRule("rule", Pattern('{"source": ["mine"]}')))
    rules.start()
    rules.put_event({"source": "mine"})
    until(lambda: delivered_sources(local), ["mine"])
    rules.stop()
    rules.put_event({"source": "other"})
    assert local.store.entries(EVENT) == []
    rules.put_event({"source": "mine"})
    assert [entry.body["event"]["source"] for entry in local.store.entries(EVENT)] == ["mine"]
