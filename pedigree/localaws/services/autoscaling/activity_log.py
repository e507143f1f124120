"""Scaling activities: a stored record of each change of capacity, its cause and its outcome."""

from __future__ import annotations

import uuid

from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.autoscaling.scalable_target import ScalableTarget

KIND = "scaling-activity"


class ActivityLog:
    """Stores what DescribeScalingActivities returns."""

    def __init__(self, world: World) -> None:
        self._world = world

    def begin(self, target: ScalableTarget, capacity: int, cause: str) -> str:
        """Store the start of an activity, and return its id."""
        activity_id = str(uuid.uuid4())
        activity = {
            "ActivityId": activity_id,
            "ServiceNamespace": "sagemaker",
            "ResourceId": target.resource,
            "ScalableDimension": target.dimension,
            "Description": f"Setting desired {target.capacity_name} to {capacity}.",
            "Cause": cause,
            "StartTime": self._world.now(),
            "StatusCode": "InProgress",
        }
        self._world.store.put(KIND, activity_id, activity)
        return activity_id

    def finish(self, activity_id: str, target: ScalableTarget, capacity: int, failure: str) -> None:
        """Store the outcome of an activity; an empty failure stands for success."""
        name = target.capacity_name
        outcome = {
            "StatusCode": "Failed" if failure else "Successful",
            "StatusMessage": (
                f"Failed to set desired {name} to {capacity}: {failure}"
                if failure
                else f"Successfully set desired {name} to {capacity}."
            ),
            "EndTime": self._world.now(),
        }
        self._world.store.update(KIND, activity_id, lambda activity: {**activity, **outcome})
