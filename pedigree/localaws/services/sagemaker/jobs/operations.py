"""The operations of training and processing jobs; jobs/runner.py runs the jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedigree.errors import Mistake
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.s3.catalog import ObjectCatalog
from pedigree.localaws.services.sagemaker.jobs import input_checks, plans
from pedigree.localaws.services.sagemaker.jobs.events import job_changed
from pedigree.localaws.services.sagemaker.jobs.resource import PROCESSING, TRAINING, JobResource
from pedigree.localaws.services.sagemaker.jobs.runner import JobKind, JobRunner
from pedigree.localaws.services.sagemaker.jobs.transitions import started
from pedigree.localaws.services.sagemaker.resources.handlers import Request
from pedigree.localaws.services.sagemaker.resources.images import Images

_DEFAULT_SECONDS = 86_400
_OVER = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class _JobOperations:
    """What the operations of training jobs and processing jobs have in common."""

    runner: JobRunner
    resource: JobResource
    kind: JobKind
    images: Images

    def create(self, world: World, request: Request) -> Mapping[str, Any]:
        name = request[self.resource.name_member]
        if world.store.find(self.resource.kind, name) is not None:
            raise self.resource.taken(world, name)
        plan = self._checked_plan(request)
        _check_wait_time(request)
        self._check_data(world, plan, self.runner.objects(self.kind, name, plan.role))
        moment = world.now()
        secondary = started(moment) if self.kind.secondary else {}
        status = {self.kind.status: "InProgress", "LastModifiedTime": moment, **secondary}
        job = self.resource.create(world, request, **status, ProcessingStartTime=moment)
        job_changed(world, self.kind.kind, job)
        self.runner.start(self.kind, name)
        return job

    def describe(self, world: World, request: Request) -> Mapping[str, Any]:
        return self.resource.describe(world, request)

    def list(self, world: World, request: Request) -> Mapping[str, Any]:
        return self.resource.list(world, request)

    def stop(self, world: World, request: Request) -> Mapping[str, Any]:
        name = request[self.resource.name_member]
        job = self.resource.changed(world, name)
        if job[self.kind.status] in _OVER:
            raise InvalidRequestError(self._rejection(job))
        self.runner.stop(self.kind, name)
        return {}

    def delete(self, world: World, request: Request) -> Mapping[str, Any]:
        name = request[self.resource.name_member]
        job = world.store.find(self.resource.kind, name)
        if job is None:
            raise ServiceError("ResourceNotFound", "Requested resource not found.")
        if job[self.kind.status] not in _OVER:
            raise ServiceError("ResourceInUse", self._rejection(job))
        self.runner.wait_for_cleanup(name)
        self.resource.remove(world, name)
        return {}

    def _check_data(self, _world: World, _plan: plans.JobPlan, _objects: ObjectCatalog) -> None:
        """Refuse a job whose data is not there, if the service looks for it at once."""

    def _checked_plan(self, request: Request) -> plans.JobPlan:
        """Refuse a job that cannot run, before anything of it is stored."""
        try:
            return self.kind.plan({**request, self.resource.arn_member: ""})
        except KeyError as error:
            words = f"The local AWS runs no {self.resource.label} without {error.args[0]}."
            raise InvalidRequestError(words) from None
        except (ValueError, Mistake) as error:
            raise InvalidRequestError(str(error)) from None

    def _rejection(self, job: Mapping[str, Any]) -> str:
        return f"The request was rejected because the {self.resource.label} is in status {job[self.kind.status]}."


class TrainingJobOperations(_JobOperations):
    """Training jobs; a program of their image starts the script of those that have no command of their own."""

    def __init__(self, runner: JobRunner, images: Images) -> None:
        def plan(job: Mapping[str, Any]) -> plans.JobPlan:
            return plans.training(job, images)

        super().__init__(runner, TRAINING, JobKind(TRAINING.kind, "TrainingJobStatus", plan, secondary=True), images)

    create_training_job = _JobOperations.create

    def _check_data(self, world: World, plan: plans.JobPlan, objects: ObjectCatalog) -> None:
        input_checks.check_found(plan, objects, world.region)

    def describe_training_job(self, world: World, request: Request) -> Mapping[str, Any]:
        """Describe a job; its output has a key, empty if the request named none."""
        job = self.describe(world, request)
        return {**job, "OutputDataConfig": {"KmsKeyId": "", **job["OutputDataConfig"]}}

    list_training_jobs = _JobOperations.list
    stop_training_job = _JobOperations.stop
    delete_training_job = _JobOperations.delete

    def metric_values(self, name: str, metric: str) -> Sequence[float]:
        """The values of a metric that a job has logged so far."""
        return self.runner.metric_values(self.kind, name, metric)


class ProcessingJobOperations(_JobOperations):
    """Processing jobs."""

    def __init__(self, runner: JobRunner, images: Images) -> None:
        def plan(job: Mapping[str, Any]) -> plans.JobPlan:
            return plans.processing(job, images)

        super().__init__(runner, PROCESSING, JobKind(PROCESSING.kind, "ProcessingJobStatus", plan), images)

    def create_processing_job(self, world: World, request: Request) -> Mapping[str, Any]:
        image = request["AppSpecification"]["ImageUri"]
        if not self.images.is_address(image):
            words = "Please provide a valid Amazon Elastic Container Registry path of the Docker image to run."
            raise InvalidRequestError(f"Invalid image URI {image}. {words}")
        return self.create(world, request)

    describe_processing_job = _JobOperations.describe
    list_processing_jobs = _JobOperations.list
    stop_processing_job = _JobOperations.stop
    delete_processing_job = _JobOperations.delete


def _check_wait_time(request: Request) -> None:
    """A job on spot instances waits for them as long as it says, and its own run time is part of that."""
    stopping = request.get("StoppingCondition", {})
    longest = stopping.get("MaxRuntimeInSeconds", _DEFAULT_SECONDS)
    if request.get("EnableManagedSpotTraining") and stopping.get("MaxWaitTimeInSeconds", 0) < longest:
        must = "It must be present and be greater than or equal to MaxRuntimeInSeconds"
        raise InvalidRequestError(f"Invalid MaxWaitTimeInSeconds. {must}")
