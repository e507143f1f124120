"""What EventBridge hears of jobs: what Describe answers, with times in milliseconds and tags, as SageMaker tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from language.shapes import service
from localaws import events
from localaws.protocol.answers import seconds, shaped
from localaws.sagemaker import tags
from localaws.store import Document
from localaws.world import World

_NOUNS: Mapping[str, str] = {"training-job": "Training", "processing-job": "Processing"}


def job_changed(world: World, kind: str, job: Document, before: Document | None = None) -> None:
    """Tell that a job has begun, or has another status than before."""
    noun = _NOUNS[kind]
    statuses = (f"{noun}JobStatus", "SecondaryStatus")
    if before is not None and all(job.get(one) == before.get(one) for one in statuses):
        return
    described = shaped(service().operation_model(f"Describe{noun}Job").output_shape, job, _milliseconds)
    arn = job[f"{noun}JobArn"]
    events.emit(world, f"SageMaker {noun} Job State Change", [arn], {**described, "Tags": tags.of(world, arn)})


def _milliseconds(value: Any) -> int:
    return int(seconds(value) * 1000)
