"""Plans how traffic moves from one generation of an endpoint to the next: shares, and how long each lasts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_LONGEST_SECONDS = 28_800


@dataclass(frozen=True)
class TrafficShift:
    """The share of the traffic that goes to the new generation, and how long alarms are watched at that share."""

    share: float
    seconds: float


@dataclass(frozen=True)
class Rollout:
    """All moves, the wait before the old generation ends, the alarms that roll back, and the longest duration."""

    moves: tuple[TrafficShift, ...]
    termination_seconds: float = 0
    alarms: tuple[str, ...] = ()
    longest_seconds: float = _LONGEST_SECONDS


def rollout(deployment: Mapping[str, Any] | None, instances: int) -> Rollout:
    """Plan the rollout of a DeploymentConfig to a number of instances."""
    rolling = (deployment or {}).get("RollingUpdatePolicy")
    policy = rolling or (deployment or {}).get("BlueGreenUpdatePolicy", {})
    routing = _rolling(rolling) if rolling else policy.get("TrafficRoutingConfiguration", {})
    wait = float(routing.get("WaitIntervalInSeconds", 0))
    kind = routing.get("Type", "ALL_AT_ONCE")
    alarms = (deployment or {}).get("AutoRollbackConfiguration", {}).get("Alarms", [])
    return Rollout(
        tuple(_MOVES[kind](routing, wait, instances)),
        float(policy.get("TerminationWaitInSeconds", 0)),
        tuple(alarm["AlarmName"] for alarm in alarms),
        float(policy.get("MaximumExecutionTimeoutInSeconds", _LONGEST_SECONDS)),
    )


def _rolling(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    """A rolling update moves traffic batch by batch; here all instances run from the start, which no client sees."""
    wait, size = policy.get("WaitIntervalInSeconds", 0), policy["MaximumBatchSize"]
    return {"Type": "LINEAR", "LinearStepSize": size, "WaitIntervalInSeconds": wait}


def _at_once(_routing: Mapping[str, Any], wait: float, _instances: int) -> Iterator[TrafficShift]:
    yield TrafficShift(1.0, wait)


def _canary(routing: Mapping[str, Any], wait: float, instances: int) -> Iterator[TrafficShift]:
    yield TrafficShift(_share(routing["CanarySize"], instances), wait)
    yield TrafficShift(1.0, wait)


def _linear(routing: Mapping[str, Any], wait: float, instances: int) -> Iterator[TrafficShift]:
    step = _share(routing["LinearStepSize"], instances)
    for number in range(1, math.ceil(1 / step - 1e-9)):
        yield TrafficShift(step * number, wait)
    yield TrafficShift(1.0, wait)


def _share(size: Mapping[str, Any], instances: int) -> float:
    """A capacity size as a share of the instances: at least one of them."""
    value = float(size["Value"])
    share = value / 100 if size["Type"] == "CAPACITY_PERCENT" else value / instances
    return min(1.0, max(math.ceil(share * instances), 1) / instances)


_MOVES: Mapping[str, Callable[[Mapping[str, Any], float, int], Iterator[TrafficShift]]] = {
    "ALL_AT_ONCE": _at_once,
    "CANARY": _canary,
    "LINEAR": _linear,
}
