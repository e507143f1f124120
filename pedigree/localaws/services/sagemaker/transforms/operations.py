"""The operations of transform jobs; transforms/runner.py runs the jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.jobs.events import job_changed
from pedigree.localaws.services.sagemaker.jobs.resource import job_resource
from pedigree.localaws.services.sagemaker.resources import models
from pedigree.localaws.services.sagemaker.resources.handlers import Request
from pedigree.localaws.services.sagemaker.resources.model_containers import is_direct, is_multi_model
from pedigree.localaws.services.sagemaker.transforms.plans import plan
from pedigree.localaws.services.sagemaker.transforms.runner import STATUS, TransformRunner

TRANSFORM = job_resource("Transform")
_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "DataProcessing": {"InputFilter": "$", "JoinSource": "None", "OutputFilter": "$"},
    "TransformInput": {"CompressionType": "None", "SplitType": "None"},
    "TransformOutput": {"AssembleWith": "None", "KmsKeyId": ""},
}
_OVER = ("Completed", "Failed", "Stopped", "Stopping")


@dataclass(frozen=True)
class TransformJobOperations:
    """Transform jobs."""

    runner: TransformRunner

    def describe_transform_job(self, world: World, request: Request) -> Mapping[str, Any]:
        """Describe a job; members that its request left out have their defaults."""
        job = TRANSFORM.describe(world, request)
        return {**job, **{member: {**usual, **job.get(member, {})} for member, usual in _DEFAULTS.items()}}

    list_transform_jobs = TRANSFORM.list

    def create_transform_job(self, world: World, request: Request) -> Mapping[str, Any]:
        try:
            plan(request)
        except ValueError as error:
            raise InvalidRequestError(str(error)) from None
        model = models.MODEL.get(world, request["ModelName"])
        if is_multi_model(model):
            raise InvalidRequestError("A transform job cannot use a multi-model container.")
        if is_direct(model):
            raise InvalidRequestError("A transform job cannot use a model whose containers are invoked directly.")
        members = {STATUS: "InProgress", "LastModifiedTime": world.now()}
        job = TRANSFORM.create(world, request, **members)
        job_changed(world, TRANSFORM.kind, job)
        self.runner.start(request["TransformJobName"])
        return job

    def stop_transform_job(self, world: World, request: Request) -> Mapping[str, Any]:
        job = TRANSFORM.changed(world, request["TransformJobName"])
        if job[STATUS] in _OVER:
            why = f"the transform job is in status {job[STATUS]}"
            raise InvalidRequestError(f"The request was rejected because {why}.")
        self.runner.stop(request["TransformJobName"])
        return {}
