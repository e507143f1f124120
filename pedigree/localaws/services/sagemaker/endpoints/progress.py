"""What SageMaker says of an update while it goes on: the status of each variant, in its own words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from pedigree.localaws.services.sagemaker.endpoints.rollout import TrafficShift

Stage: TypeAlias = Callable[[int], tuple[str, str]]
"""The status and its message for a variant of so many instances."""


def launching(count: int) -> tuple[str, str]:
    """The instances of the new configuration start."""
    return "Creating", f"Launching {count} instance(s)."


def activating(move: TrafficShift) -> Stage:
    """Traffic moves to the instances that get a share of it."""
    return lambda count: ("ActivatingTraffic", f"Activating traffic on {_capacity(move, count)}.")


def baking(move: TrafficShift) -> Stage:
    """Alarms are watched while the share stays."""
    wait = f"Baking for {move.seconds:.0f} seconds (TerminationWaitInSeconds)"
    return lambda count: ("Baking", f"{wait} with traffic enabled on {_capacity(move, count)}.")


def with_status(variants: list[Mapping[str, Any]], stage: Stage, now: str) -> list[dict[str, Any]]:
    """The variants of a deployment, each with the stage that it has reached."""
    return [{**variant, "VariantStatus": [_status(variant, stage, now)]} for variant in variants]


def resized(variants: list[Mapping[str, Any]], counts: Mapping[str, int], now: str) -> list[dict[str, Any]]:
    """The variants of an endpoint that get other numbers of instances."""
    return [_resized(variant, counts.get(variant["VariantName"]), now) for variant in variants]


def _resized(variant: Mapping[str, Any], count: int | None, now: str) -> dict[str, Any]:
    present = variant.get("CurrentInstanceCount")
    if count is None or present is None:
        return dict(variant)
    way = "Scaling out" if count > present else "Scaling in"
    status = {"Status": "Updating", "StatusMessage": f"{way} desired instance count to {count}.", "StartTime": now}
    return {**variant, "DesiredInstanceCount": count, "VariantStatus": [status]}


def _status(variant: Mapping[str, Any], stage: Stage, now: str) -> dict[str, Any]:
    status, message = stage(variant.get("DesiredInstanceCount", 1))
    return {"Status": status, "StatusMessage": message, "StartTime": now}


def _capacity(move: TrafficShift, count: int) -> str:
    if move.share >= 1:
        return f"full capacity of {count} instance(s)"
    return f"canary capacity of {math.ceil(move.share * count - 1e-9)} instance(s)"
