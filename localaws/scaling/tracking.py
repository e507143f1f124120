"""Target tracking: how many instances there should be, for what is asked of them now.

More come as soon as a minute's invocations are above the target for those that there are; fewer when a tenth below the
target has held for a while. Each waits for its cooldown. AWS waits longer in both directions (three minutes above,
fifteen below), because its metrics come a minute late; nobody at a laptop would wait for that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

_BELOW = 0.9
_CALM_SECONDS = 60.0
_USUAL_COOLDOWN = 300.0


@dataclass(frozen=True)
class Policy:
    """What is tracked: so many invocations an instance and minute, between so few and so many instances."""

    target: float
    least: int
    most: int
    out_cooldown: float = _USUAL_COOLDOWN
    in_cooldown: float = _USUAL_COOLDOWN


@dataclass(frozen=True)
class Past:
    """What matters of what was: when instances last came or went, and since when there is little to do."""

    out_at: float = -math.inf
    in_at: float = -math.inf
    calm_since: float | None = None


@dataclass(frozen=True)
class Decision:
    """How many instances there should be, why, and what is the past from now on."""

    count: int
    cause: str
    past: Past


def decide(policy: Policy, invocations: float, count: int, past: Past, now: float) -> Decision:
    """What follows from a minute's invocations of so many instances."""
    within = min(max(count, policy.least), policy.most)
    if within != count:
        return Decision(within, f"capacity {count} is outside {policy.least} to {policy.most}", past)
    needed = min(max(math.ceil(invocations / policy.target), policy.least), policy.most)
    if needed > count:
        calm = replace(past, calm_since=None)
        if now - past.out_at < policy.out_cooldown:
            return Decision(count, "", calm)
        told = f"{invocations / count:g} invocations an instance and minute are above the target {policy.target:g}"
        return Decision(needed, told, replace(calm, out_at=now))
    if needed == count or invocations >= _BELOW * policy.target * count:
        return Decision(count, "", replace(past, calm_since=None))
    since = now if past.calm_since is None else past.calm_since
    last = max(past.out_at, past.in_at)
    if now - since < _CALM_SECONDS or now - last < policy.in_cooldown:
        return Decision(count, "", replace(past, calm_since=since))
    told = f"{invocations / count:g} invocations an instance and minute are below the target {policy.target:g}"
    return Decision(needed, told, Past(past.out_at, now, None))
