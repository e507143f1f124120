"""SageMaker's events, in the form in which EventBridge gets them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from pedigree.localaws.http.protocol.serializer import seconds
from pedigree.localaws.kernel.world import World


def publish(world: World, detail_type: str, resources: Sequence[str], detail: Mapping[str, Any]) -> None:
    """Publish a state change of some resources."""
    world.bus.publish(world.event("aws.sagemaker", detail_type, detail, resources))


def utc_time(moment: Any) -> str:
    """A time as the events of executions and of the registry have it."""
    return dt.datetime.fromisoformat(moment).astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(moment: Any) -> int:
    """A time as the events of jobs have it."""
    return int(seconds(moment) * 1000)
