"""Applying a plan waits as long as AWS takes, up to a limit, and shows what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.account.account import Account
from pedigree.account.apply import apply_change, apply_plan
from pedigree.account.errors import CallRefusedError, UnfinishedError
from pedigree.account.plan import ApiCall, Change, EmptyBucket, Wait, plan
from tests.support.accounts import InstantClock

GONE = ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no such thing"}}, "DescribeThing")


class Slow:
    """A service in which a thing goes through states, one at each look; None: it is gone."""

    def __init__(self, *states: str | None) -> None:
        self.states = list(states)

    def describe_thing(self, name: str) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if state is None:
            raise GONE
        return {"Thing": {"Status": state}}

    def delete_thing(self, name: str) -> dict[str, Any]:
        raise GONE


class Heap:
    """A bucket with more objects than one call removes; some of them cannot be removed."""

    def __init__(self, count: int, stuck: int = 0) -> None:
        self.keys = [f"key-{number}" for number in range(count)]
        self.stuck = stuck
        self.batches: list[int] = []

    def can_paginate(self, operation: str) -> bool:
        return False

    def list_object_versions(self, **_where: Any) -> dict[str, Any]:
        return {"Versions": [{"Key": key, "VersionId": "1", "Size": 1} for key in self.keys]}

    def delete_objects(self, Delete: dict[str, Any], **_where: Any) -> dict[str, Any]:  # noqa: N803 - boto3's own name
        self.batches.append(len(Delete["Objects"]))
        denied = {"Key": "key-0", "Code": "AccessDenied", "Message": "Access Denied"}
        return {"Errors": [denied] * self.stuck} if self.stuck else {}


def account(service: Any) -> Account:
    return Account("123456789012", "us-east-1", lambda name: service, "me", InstantClock())


def waited(service: Any, wait: Wait) -> list[str]:
    waits: list[str] = []
    here = account(service)
    apply_change(
        Change("delete", "thing", "a", (wait,)), here, lambda what, seconds: waits.append(f"{what} {seconds:.0f}")
    )
    return waits


STATUS = Wait("sagemaker", "describe_thing", {"name": "a"}, "thing a to rest", "Thing.Status", ("Resting",), 60)
AWAY = Wait("sagemaker", "describe_thing", {"name": "a"}, "thing a to be gone", seconds=60)


def test_it_is_waited_until_a_value_is_a_wanted_one() -> None:
    waits = waited(Slow("Running", "Running", "Resting"), STATUS)
    assert waits == ["thing a to rest 0", "thing a to rest 5"]


def test_it_is_waited_until_it_is_gone() -> None:
    assert waited(Slow("Going", None), AWAY) == ["thing a to be gone 0"]


def test_what_is_gone_need_not_be_waited_for() -> None:
    assert waited(Slow(None), STATUS) == []


def test_waiting_has_an_end_and_says_how_to_go_on() -> None:
    with pytest.raises(UnfinishedError, match=r"waited 60 seconds for thing a to be gone; run it again to go on"):
        waited(Slow("Going"), AWAY)


def test_what_is_gone_already_need_not_be_removed() -> None:
    apply_change(
        Change("delete", "thing", "a", (ApiCall("sagemaker", "delete_thing", {"name": "a"}),)), account(Slow(None))
    )


def test_a_bucket_is_emptied_in_batches() -> None:
    heap = Heap(2500)
    apply_change(Change("delete", "bucket", "b", (EmptyBucket("b"),)), account(heap))
    assert heap.batches == [1000, 1000, 500]


def test_a_resource_that_cannot_be_removed_is_reported() -> None:
    with pytest.raises(CallRefusedError, match=r"1 failed, the first with: Access Denied \(AccessDenied\)"):
        apply_change(Change("delete", "bucket", "b", (EmptyBucket("b"),)), account(Heap(1, stuck=1)))


class Late:
    """A part whose change shows only at the third look after it was made."""

    def __init__(self) -> None:
        self.made, self.polls = 0, 0

    def changes(self, account: Account) -> Iterator[Change]:
        self.polls += 1
        if not self.made or self.polls < 4:
            yield Change("update", "queue", "q", (ApiCall("sqs", "set", {}),), ("it differs",))

    def set(self) -> None:
        self.made += 1


def test_what_aws_shows_late_is_looked_at_again_and_not_made_again() -> None:
    late, waits = Late(), list[str]()
    here = account(late)
    apply_plan([late], here, plan([late], here), lambda change: None, lambda what, seconds: waits.append(what))
    assert late.made == 1
    assert waits == ["AWS to show queue q as it is now"] * 2


class Starting:
    """A part that, once it is changed, needs nothing but time: as with warm environments of a version that is new."""

    def __init__(self) -> None:
        self.moved, self.polls, self.states = False, 0, ["STARTING", "STARTING", "READY"]

    def changes(self, account: Account) -> Iterator[Change]:
        self.polls += 1
        if not self.moved:
            yield Change("update", "alias", "a", (ApiCall("lambda", "move", {}),))
        elif len(self.states) > 1:
            yield Change("update", "warmth", "a", (Wait("lambda", "look", {}, "a to be warm", "Status", ("READY",)),))

    def move(self) -> None:
        self.moved = True

    def look(self) -> dict[str, str]:
        return {"Status": self.states.pop(0) if len(self.states) > 1 else self.states[0]}


def test_what_only_takes_time_is_waited_for_and_not_looked_at_from_the_beginning() -> None:
    starting, waits = Starting(), list[str]()
    here = account(starting)
    apply_plan([starting], here, plan([starting], here), lambda change: None, lambda what, seconds: waits.append(what))
    assert waits == ["a to be warm"] * 2
    assert starting.polls == 3
