"""Jobs as resources: training and processing jobs, and what other kinds of jobs have in common with them."""

from __future__ import annotations

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources.listing import Listing
from pedigree.localaws.services.sagemaker.resources.resource import Resource


class JobResource(Resource):
    """Jobs have their own words for a name that is missing or exists already."""

    def missing(self, world: World, name: str) -> ServiceError:  # noqa: ARG002  # the service names no ARN here
        if self.name_member == "TrainingJobName":
            return InvalidRequestError("Requested resource not found.")
        return InvalidRequestError(f"Could not find requested job with name: {name}")

    def changed(self, world: World, name: str) -> Document:
        """A job that a request is to change."""
        job = world.store.find(self.kind, name)
        if job is not None:
            return job
        if self.name_member == "TrainingJobName":
            raise self.missing(world, name)
        raise InvalidRequestError(f"Could not find job to update with name: {name}")

    def taken(self, world: World, name: str) -> ServiceError:
        unique = "Job name must be unique within an AWS account and region"
        there = f"and a job with this name already exists ({self.arn(world, name)})"
        return ServiceError("ResourceInUse", f"{unique}, {there}")


def job_resource(noun: str) -> JobResource:
    """A kind of job, by the noun in its operations."""
    return JobResource(
        f"{noun.lower()}-job",
        f"{noun.lower()} job",
        f"{noun}JobName",
        f"{noun}JobArn",
        Listing(f"{noun}JobSummaries", f"{noun}JobName", f"{noun}JobStatus"),
    )


TRAINING = job_resource("Training")
PROCESSING = job_resource("Processing")
