"""Target tracking: how many instances there should be, for what is asked of them now.

What is asked is a load that the instances share: a minute's invocations, or requests at a time. More come as soon as it
is above the target for those that there are; fewer when a tenth below the target has held for a while. Each waits for
its cooldown. AWS waits longer in both directions (three minutes above, fifteen below), because its metrics come a
minute late; nobody at a laptop would wait for that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

_BELOW = 0.9
_CALM_SECONDS = 60.0
_USUAL_COOLDOWN = 300.0


@dataclass(frozen=True)
class TrackingPolicy:
    """What is tracked: so much an instance, between so few and so many instances; what is called what in a cause."""

    target: float
    least: int
    most: int
    out_cooldown: float = _USUAL_COOLDOWN
    in_cooldown: float = _USUAL_COOLDOWN
    called: str = "invocations an instance and minute"
    may_go_out: bool = True
    may_go_in: bool = True


@dataclass(frozen=True)
class PolicyHistory:
    """What matters of what was: when instances last came or went, and since when there is little to do."""

    out_at: float = -math.inf
    in_at: float = -math.inf
    calm_since: float | None = None


@dataclass(frozen=True)
class ScalingDecision:
    """How many instances there should be, why, and what is the past from now on."""

    count: int
    cause: str
    past: PolicyHistory


def decide(policy: TrackingPolicy, load: float, count: int, past: PolicyHistory, now: float) -> ScalingDecision:
    """What follows from the load of so many instances."""
    within = min(max(count, policy.least), policy.most)
    if within != count:
        return ScalingDecision(within, outside(count, policy.least, policy.most), past)
    needed = min(max(math.ceil(load / policy.target), policy.least), policy.most)
    if needed > count:
        calm = replace(past, calm_since=None)
        if not policy.may_go_out or now - past.out_at < policy.out_cooldown:
            return ScalingDecision(count, "", calm)
        told = f"{load / count:g} {policy.called} are above the target {policy.target:g}"
        return ScalingDecision(needed, told, replace(calm, out_at=now))
    if needed == count or load >= _BELOW * policy.target * count:
        return ScalingDecision(count, "", replace(past, calm_since=None))
    since = now if past.calm_since is None else past.calm_since
    last = max(past.out_at, past.in_at)
    is_early = now - since < _CALM_SECONDS or now - last < policy.in_cooldown
    if is_early or not policy.may_go_in:
        return ScalingDecision(count, "", replace(past, calm_since=since))
    told = f"{load / count:g} {policy.called} are below the target {policy.target:g}"
    return ScalingDecision(needed, told, PolicyHistory(past.out_at, now, None))


def outside(count: int, least: int, most: int) -> str:
    """Why so many instances are too few or too many, whatever is asked of them."""
    return f"capacity {count} is outside {least} to {most}"


def combined(
    decisions: Sequence[ScalingDecision], pasts: Sequence[PolicyHistory], count: int
) -> tuple[ScalingDecision | None, list[PolicyHistory]]:
    """What several policies decide together, and the past of each: the most that one wants; fewer only if all do."""
    wanted = max(decisions, key=lambda one: one.count, default=None)
    goes_in = wanted is not None and wanted.count < count
    kept = [
        one.past if one.count >= count or goes_in else replace(one.past, in_at=past.in_at, calm_since=past.calm_since)
        for one, past in zip(decisions, pasts, strict=True)
    ]
    return (None if wanted is None or wanted.count == count else wanted), kept
