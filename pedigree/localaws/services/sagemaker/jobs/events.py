"""The events that SageMaker publishes about jobs: their descriptions, with times in milliseconds and tags."""

from __future__ import annotations

from collections.abc import Mapping

from pedigree.language.shapes import service
from pedigree.localaws.http.protocol.serializer import shaped
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import events, tags

# The name of each kind of job in operations, and in the titles of events.
_NAMES: Mapping[str, tuple[str, str]] = {
    "training-job": ("Training", "Training"),
    "processing-job": ("Processing", "Processing"),
    "transform-job": ("Transform", "Transform"),
    "tuning-job": ("HyperParameterTuning", "HyperParameter Tuning"),
}


def job_changed(world: World, kind: str, job: Document, before: Document | None = None) -> None:
    """Publish the event for a job that has started (before is None) or has another status."""
    noun, title = _NAMES[kind]
    statuses = (f"{noun}JobStatus", "SecondaryStatus")
    if before is not None and all(job.get(member) == before.get(member) for member in statuses):
        return
    described = shaped(service().operation_model(f"Describe{noun}Job").output_shape, job, events.milliseconds)
    arn = job[f"{noun}JobArn"]
    events.publish(world, f"SageMaker {title} Job State Change", [arn], {**described, "Tags": tags.of(world, arn)})
