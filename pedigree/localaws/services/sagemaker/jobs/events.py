"""What EventBridge hears of jobs: what Describe answers, with times in milliseconds and tags, as SageMaker tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.language.shapes import service
from pedigree.localaws.http.protocol.serializer import seconds, shaped
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import events, tags

# What the operations call a kind of job, and what its events do.
_CALLED: Mapping[str, tuple[str, str]] = {
    "training-job": ("Training", "Training"),
    "processing-job": ("Processing", "Processing"),
    "transform-job": ("Transform", "Transform"),
    "tuning-job": ("HyperParameterTuning", "HyperParameter Tuning"),
}


def job_changed(world: World, kind: str, job: Document, before: Document | None = None) -> None:
    """Tell that a job has begun, or has another status than before."""
    noun, spoken = _CALLED[kind]
    statuses = (f"{noun}JobStatus", "SecondaryStatus")
    if before is not None and all(job.get(one) == before.get(one) for one in statuses):
        return
    described = shaped(service().operation_model(f"Describe{noun}Job").output_shape, job, _milliseconds)
    arn = job[f"{noun}JobArn"]
    events.publish(world, f"SageMaker {spoken} Job State Change", [arn], {**described, "Tags": tags.of(world, arn)})


def _milliseconds(value: Any) -> int:
    return int(seconds(value) * 1000)
