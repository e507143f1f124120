"""Training and processing jobs: created, described, listed, stopped. Running them is jobs/work.py's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.jobs import plans
from pedigree.localaws.services.sagemaker.jobs.telling import job_changed
from pedigree.localaws.services.sagemaker.jobs.transitions import begun
from pedigree.localaws.services.sagemaker.jobs.work import Jobs, Kind
from pedigree.localaws.services.sagemaker.resources.listing import Listing
from pedigree.localaws.services.sagemaker.resources.resources import Resource
from pedigree.localaws.services.sagemaker.resources.service import Handler, Request

_USUAL_SECONDS = 86_400
_OVER = ("Completed", "Failed", "Stopped")


class JobResource(Resource):
    """Jobs say in words of their own that one is missing or there already."""

    def missing(self, world: World, name: str) -> ServiceError:  # noqa: ARG002  # the service names nothing here
        """What the service says of one that is not there."""
        return InvalidRequestError("Requested resource not found.")

    def taken(self, world: World, name: str) -> ServiceError:
        """What the service says of a name that is given already."""
        unique = "Job name must be unique within an AWS account and region"
        there = f"and a job with this name already exists ({self.arn(world, name)})"
        return ServiceError("ResourceInUse", f"{unique}, {there}")


def job_resource(noun: str) -> Resource:
    """A kind of job, by what the service calls it."""
    return JobResource(
        f"{noun.lower()}-job",
        f"{noun.lower()} job",
        f"{noun}JobName",
        f"{noun}JobArn",
        Listing(f"{noun}JobSummaries", f"{noun}JobName", f"{noun}JobStatus"),
    )


TRAINING = job_resource("Training")
PROCESSING = job_resource("Processing")


@dataclass(frozen=True)
class JobHandlers:
    """The handlers of a kind of job, and what they hand jobs to."""

    noun: str
    resource: Resource
    kind: Kind
    jobs: Jobs

    def table(self) -> Mapping[str, Handler]:
        """The handlers by their operations."""
        return {
            f"Create{self.noun}Job": self._create,
            f"Describe{self.noun}Job": self.resource.describe,
            f"List{self.noun}Jobs": self.resource.list,
            f"Stop{self.noun}Job": self._stop,
            f"Delete{self.noun}Job": self._delete,
        }

    def series(self, name: str, metric: str) -> Sequence[float]:
        """The values of a metric that a job has told so far."""
        return self.jobs.series(self.kind, name, metric)

    def _create(self, world: World, request: Request) -> Mapping[str, Any]:
        self._check(request)
        _check_waiting(request)
        moment = world.now()
        secondary = begun(moment) if self.kind.secondary else {}
        status = {self.kind.status: "InProgress", "LastModifiedTime": moment, **secondary}
        job = self.resource.create(world, request, **status, ProcessingStartTime=moment)
        job_changed(world, self.kind.kind, job)
        self.jobs.start(self.kind, request[self.resource.name_member])
        return job

    def _check(self, request: Request) -> None:
        """Refuse a job that could not be run: nothing is kept of it."""
        try:
            self.kind.plan({**request, self.resource.arn_member: ""})
        except KeyError as error:
            words = f"The local AWS runs no {self.resource.called} without {error.args[0]}."
            raise InvalidRequestError(words) from None
        except ValueError as error:
            raise InvalidRequestError(str(error)) from None

    def _stop(self, world: World, request: Request) -> Mapping[str, Any]:
        name = request[self.resource.name_member]
        job = self.resource.get(world, name)
        if job[self.kind.status] in _OVER:
            why = f"the {self.resource.called} is in status {job[self.kind.status]}"
            raise InvalidRequestError(f"The request was rejected because {why}.")
        self.jobs.stop(self.kind, name)
        return {}

    def _delete(self, world: World, request: Request) -> Mapping[str, Any]:
        name = request[self.resource.name_member]
        job = world.store.find(self.resource.kind, name)
        if job is None:
            raise ServiceError("ResourceNotFound", "Requested resource not found.")
        if job[self.kind.status] not in _OVER:
            why = f"the {self.resource.called} is in status {job[self.kind.status]}"
            raise ServiceError("ResourceInUse", f"The request was rejected because {why}.")
        self.jobs.let_go(name)
        self.resource.remove(world, name)
        return {}


def _check_waiting(request: Request) -> None:
    """A job on spot instances may wait for them as long as it says, its own time included."""
    stopping = request.get("StoppingCondition", {})
    longest = stopping.get("MaxRuntimeInSeconds", _USUAL_SECONDS)
    if request.get("EnableManagedSpotTraining") and stopping.get("MaxWaitTimeInSeconds", 0) < longest:
        must = "It must be present and be greater than or equal to MaxRuntimeInSeconds"
        raise InvalidRequestError(f"Invalid MaxWaitTimeInSeconds. {must}")


def training(jobs: Jobs, toolkit: tuple[str, ...]) -> JobHandlers:
    """Training jobs, whose scripts a toolkit starts where the job has no command of its own."""
    kind = Kind(TRAINING.kind, "TrainingJobStatus", lambda job: plans.training(job, toolkit), secondary=True)
    return JobHandlers("Training", TRAINING, kind, jobs)


def processing(jobs: Jobs) -> JobHandlers:
    """Processing jobs."""
    return JobHandlers("Processing", PROCESSING, Kind(PROCESSING.kind, "ProcessingJobStatus", plans.processing), jobs)
