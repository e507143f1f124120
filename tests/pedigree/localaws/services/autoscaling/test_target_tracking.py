"""How many instances there should be for what is asked of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.services.autoscaling.target_tracking import PolicyHistory, TrackingPolicy, combined, decide
from pedigree.localaws.services.sagemaker.endpoints.metering import Meter

POLICY = TrackingPolicy(target=30, least=1, most=4, out_cooldown=30, in_cooldown=30)


@pytest.mark.parametrize(
    ("invocations", "count", "expected"),
    [(0, 1, 1), (30, 1, 1), (31, 1, 2), (100, 1, 4), (1000, 2, 4), (55, 2, 2), (0, 5, 4)],
)
def test_as_many_as_the_invocations_of_a_minute_need(invocations: int, count: int, expected: int) -> None:
    assert decide(POLICY, invocations, count, PolicyHistory(), 0).count == expected


def test_instances_go_only_after_a_calm_minute() -> None:
    past, counts = PolicyHistory(out_at=0), []
    for now in range(5, 100, 5):
        decision = decide(POLICY, 10, 3, past, now)
        past = decision.past
        counts.append(decision.count)
    assert counts.index(1) == 12
    assert counts[:12] == [3] * 12


def test_a_moment_of_work_begins_the_calm_anew() -> None:
    past = decide(POLICY, 0, 2, PolicyHistory(), 0).past
    past = decide(POLICY, 60, 2, past, 55).past
    assert decide(POLICY, 0, 2, past, 70).count == 2


def test_cooldowns_are_kept() -> None:
    first = decide(POLICY, 60, 1, PolicyHistory(), 100)
    assert first.count == 2
    assert decide(POLICY, 120, 2, first.past, 120).count == 2
    assert decide(POLICY, 120, 2, first.past, 131).count == 4


@given(st.floats(0, 1e6), st.integers(1, 20), st.floats(-1e3, 1e3), st.floats(0.1, 1e4))
def test_there_are_never_fewer_or_more_than_allowed(invocations: float, count: int, now: float, target: float) -> None:
    policy = TrackingPolicy(target, 2, 6, 0, 0)
    assert 2 <= decide(policy, invocations, count, PolicyHistory(), now).count <= 6


def test_a_minute_is_sixty_seconds_and_what_is_drained_is_gone() -> None:
    now = [0.0]
    meter = Meter(lambda: now[0])
    for moment in (0.0, 30.0, 59.0):
        now[0] = moment
        meter.note("dogs", "all", 0.1, 0.01, 200)
    assert meter.last_minute("dogs", "all") == 3
    now[0] = 89.0
    assert meter.last_minute("dogs", "all") == 2
    assert len(meter.drain()["dogs", "all"]) == 3
    assert meter.drain() == {}


def test_of_several_policies_the_most_instances_are_had_and_fewer_only_if_all_agree() -> None:
    busy, calm, calmest = (decide(POLICY, load, 2, PolicyHistory(calm_since=-100), 0) for load in (90, 0, 0))
    pasts = [PolicyHistory(calm_since=-100)] * 2
    assert [one.count for one in (busy, calm)] == [3, 1]
    wanted, known = combined([busy, calm], pasts, 2)
    assert wanted == busy
    assert known[1].in_at == PolicyHistory().in_at  # what was not done begins no cooldown
    wanted, known = combined([calm, calmest], pasts, 2)
    assert (wanted, known[0].in_at) == (calm, 0)
    assert combined([], [], 2) == (None, [])


def test_a_direction_that_is_forbidden_is_not_taken() -> None:
    assert decide(replace(POLICY, may_go_out=False), 90, 2, PolicyHistory(), 0).count == 2
    assert decide(replace(POLICY, may_go_in=False), 0, 2, PolicyHistory(calm_since=-100), 0).count == 2


def test_requests_at_a_time_are_what_the_last_seconds_were_busy_with() -> None:
    now = [100.0]
    meter = Meter(lambda: now[0])
    meter.note("dogs", "all", 50.0, 0.0, 200)
    now[0] = 120.0
    for _ in range(4):
        meter.note("dogs", "all", 4.0, 1.0, 200)
    assert meter.concurrent("dogs", "all") == 2.0
