"""Target tracking: the capacity for a load, cooldowns, limits, and several policies together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.services.autoscaling.target_tracking import PolicyHistory, TrackingPolicy, combine, decide
from pedigree.localaws.services.sagemaker.endpoints.metering import Meter

POLICY = TrackingPolicy(target=30, min_capacity=1, max_capacity=4, out_cooldown=30, in_cooldown=30)


@pytest.mark.parametrize(
    ("invocations", "capacity", "expected"),
    [(0, 1, 1), (30, 1, 1), (31, 1, 2), (100, 1, 4), (1000, 2, 4), (55, 2, 2), (0, 5, 4)],
)
def test_the_capacity_follows_the_invocations_of_a_minute(invocations: int, capacity: int, expected: int) -> None:
    assert decide(POLICY, invocations, capacity, PolicyHistory(), 0).capacity == expected


def test_a_policy_scales_in_only_after_a_minute_of_low_load() -> None:
    history, capacities = PolicyHistory(scaled_out_at=0), []
    for now in range(5, 100, 5):
        decision = decide(POLICY, 10, 3, history, now)
        history = decision.history
        capacities.append(decision.capacity)
    assert capacities.index(1) == 12
    assert capacities[:12] == [3] * 12


def test_a_moment_of_high_load_restarts_the_wait() -> None:
    history = decide(POLICY, 0, 2, PolicyHistory(), 0).history
    history = decide(POLICY, 60, 2, history, 55).history
    assert decide(POLICY, 0, 2, history, 70).capacity == 2


def test_cooldowns_are_kept() -> None:
    first = decide(POLICY, 60, 1, PolicyHistory(), 100)
    assert first.capacity == 2
    assert decide(POLICY, 120, 2, first.history, 120).capacity == 2
    assert decide(POLICY, 120, 2, first.history, 131).capacity == 4


@given(st.floats(0, 1e6), st.integers(1, 20), st.floats(-1e3, 1e3), st.floats(0.1, 1e4))
def test_the_capacity_is_always_within_its_limits(load: float, capacity: int, now: float, target: float) -> None:
    policy = TrackingPolicy(target, 2, 6, 0, 0)
    assert 2 <= decide(policy, load, capacity, PolicyHistory(), now).capacity <= 6


def test_a_meter_counts_the_last_sixty_seconds_and_drains_each_invocation_once() -> None:
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


def test_the_highest_capacity_of_several_policies_wins_and_scaling_in_needs_all_of_them() -> None:
    busy, low, lowest = (decide(POLICY, load, 2, PolicyHistory(low_since=-100), 0) for load in (90, 0, 0))
    histories = [PolicyHistory(low_since=-100)] * 2
    assert [decision.capacity for decision in (busy, low)] == [3, 1]
    decision, combined = combine([busy, low], histories, 2)
    assert decision == busy
    assert combined[1].scaled_in_at == PolicyHistory().scaled_in_at  # an overruled decision starts no cooldown
    decision, combined = combine([low, lowest], histories, 2)
    assert (decision, combined[0].scaled_in_at) == (low, 0)
    assert combine([], [], 2) == (None, [])


def test_a_policy_does_not_scale_in_a_suspended_direction() -> None:
    assert decide(replace(POLICY, may_scale_out=False), 90, 2, PolicyHistory(), 0).capacity == 2
    assert decide(replace(POLICY, may_scale_in=False), 0, 2, PolicyHistory(low_since=-100), 0).capacity == 2


def test_concurrent_requests_are_averaged_over_the_last_seconds() -> None:
    now = [100.0]
    meter = Meter(lambda: now[0])
    meter.note("dogs", "all", 50.0, 0.0, 200)
    now[0] = 120.0
    for _ in range(4):
        meter.note("dogs", "all", 4.0, 1.0, 200)
    assert meter.concurrent("dogs", "all") == 2.0
