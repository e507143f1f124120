"""Transform jobs: created, described, listed, stopped. Running them is transforms/work.py's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.jobs.operations import job_resource
from pedigree.localaws.services.sagemaker.jobs.telling import job_changed
from pedigree.localaws.services.sagemaker.resources import models
from pedigree.localaws.services.sagemaker.resources.service import Handler, Request
from pedigree.localaws.services.sagemaker.transforms.plans import plan
from pedigree.localaws.services.sagemaker.transforms.work import STATUS, Transforms

TRANSFORM = job_resource("Transform")
_OVER = ("Completed", "Failed", "Stopped", "Stopping")


@dataclass(frozen=True)
class TransformHandlers:
    """The handlers, and what they hand jobs to."""

    transforms: Transforms

    def table(self) -> Mapping[str, Handler]:
        """The handlers by their operations."""
        return {
            "CreateTransformJob": self._create,
            "DescribeTransformJob": TRANSFORM.describe,
            "ListTransformJobs": TRANSFORM.list,
            "StopTransformJob": self._stop,
        }

    def _create(self, world: World, request: Request) -> Mapping[str, Any]:
        try:
            plan(request)
        except ValueError as error:
            raise InvalidRequestError(str(error)) from None
        models.MODEL.get(world, request["ModelName"])
        members = {STATUS: "InProgress", "LastModifiedTime": world.now()}
        job = TRANSFORM.create(world, request, **members)
        job_changed(world, TRANSFORM.kind, job)
        self.transforms.start(request["TransformJobName"])
        return job

    def _stop(self, world: World, request: Request) -> Mapping[str, Any]:
        job = TRANSFORM.get(world, request["TransformJobName"])
        if job[STATUS] in _OVER:
            why = f"the transform job is in status {job[STATUS]}"
            raise InvalidRequestError(f"The request was rejected because {why}.")
        self.transforms.stop(request["TransformJobName"])
        return {}
