"""Target tracking: decides how many instances a variant needs for its current load. Pure.

The load is what all instances share: the invocations of a minute, or concurrent requests. A policy scales out as soon
as the load is above the target, and scales in after it has been a tenth below the target for a while; each waits for
its cooldown. AWS waits longer in both directions (three minutes above, fifteen below), because its metrics arrive a
minute late; a developer at a laptop would not wait for that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

_SCALE_IN_THRESHOLD = 0.9
_SCALE_IN_WAIT_SECONDS = 60.0
_DEFAULT_COOLDOWN_SECONDS = 300.0


@dataclass(frozen=True)
class TrackingPolicy:
    """A target load for each instance, within capacity limits; metric is the load's name in messages."""

    target: float
    min_capacity: int
    max_capacity: int
    out_cooldown: float = _DEFAULT_COOLDOWN_SECONDS
    in_cooldown: float = _DEFAULT_COOLDOWN_SECONDS
    metric: str = "invocations an instance and minute"
    may_scale_out: bool = True
    may_scale_in: bool = True


@dataclass(frozen=True)
class PolicyHistory:
    """When a policy last scaled out and in, and since when the load is low."""

    scaled_out_at: float = -math.inf
    scaled_in_at: float = -math.inf
    low_since: float | None = None


@dataclass(frozen=True)
class ScalingDecision:
    """The capacity that a policy wants, why, and its history from now on."""

    capacity: int
    cause: str
    history: PolicyHistory


def decide(policy: TrackingPolicy, load: float, capacity: int, history: PolicyHistory, now: float) -> ScalingDecision:
    """Decide from the load on a number of instances."""
    allowed = min(max(capacity, policy.min_capacity), policy.max_capacity)
    if allowed != capacity:
        return ScalingDecision(allowed, outside(capacity, policy.min_capacity, policy.max_capacity), history)
    needed = min(max(math.ceil(load / policy.target), policy.min_capacity), policy.max_capacity)
    if needed > capacity:
        busy = replace(history, low_since=None)
        if not policy.may_scale_out or now - history.scaled_out_at < policy.out_cooldown:
            return ScalingDecision(capacity, "", busy)
        cause = f"{load / capacity:g} {policy.metric} are above the target {policy.target:g}"
        return ScalingDecision(needed, cause, replace(busy, scaled_out_at=now))
    if needed == capacity or load >= _SCALE_IN_THRESHOLD * policy.target * capacity:
        return ScalingDecision(capacity, "", replace(history, low_since=None))
    low_since = now if history.low_since is None else history.low_since
    last_scaling = max(history.scaled_out_at, history.scaled_in_at)
    is_early = now - low_since < _SCALE_IN_WAIT_SECONDS or now - last_scaling < policy.in_cooldown
    if is_early or not policy.may_scale_in:
        return ScalingDecision(capacity, "", replace(history, low_since=low_since))
    cause = f"{load / capacity:g} {policy.metric} are below the target {policy.target:g}"
    return ScalingDecision(needed, cause, PolicyHistory(history.scaled_out_at, now, None))


def outside(capacity: int, min_capacity: int, max_capacity: int) -> str:
    """Return the cause of a change to a capacity outside its limits."""
    return f"capacity {capacity} is outside {min_capacity} to {max_capacity}"


def combine(
    decisions: Sequence[ScalingDecision], histories: Sequence[PolicyHistory], capacity: int
) -> tuple[ScalingDecision | None, list[PolicyHistory]]:
    """Combine the decisions of several policies: the highest capacity wins, so scaling in needs all of them.

    A policy whose scaling in is overruled keeps the cooldown and the low load of its earlier history.
    """
    highest = max(decisions, key=lambda decision: decision.capacity, default=None)
    scales_in = highest is not None and highest.capacity < capacity
    combined = [
        decision.history
        if decision.capacity >= capacity or scales_in
        else replace(decision.history, scaled_in_at=history.scaled_in_at, low_since=history.low_since)
        for decision, history in zip(decisions, histories, strict=True)
    ]
    return (None if highest is None or highest.capacity == capacity else highest), combined
