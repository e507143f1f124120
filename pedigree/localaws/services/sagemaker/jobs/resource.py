"""Jobs as resources: training and processing jobs, and what other kinds of jobs have in common with them."""

from __future__ import annotations

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources.listing import Listing
from pedigree.localaws.services.sagemaker.resources.resource import Resource


class JobResource(Resource):
    """Jobs have their own words for a name that is missing or exists already."""

    def missing(self, world: World, name: str) -> ServiceError:  # noqa: ARG002  # the service names nothing here
        return InvalidRequestError("Requested resource not found.")

    def taken(self, world: World, name: str) -> ServiceError:
        unique = "Job name must be unique within an AWS account and region"
        there = f"and a job with this name already exists ({self.arn(world, name)})"
        return ServiceError("ResourceInUse", f"{unique}, {there}")


def job_resource(noun: str) -> Resource:
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
