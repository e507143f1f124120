"""A transform job that is stopped before it starts does not start, and the end of a job is always stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.services.logs.streams import LogFiles
from pedigree.localaws.services.s3.catalog import ObjectCatalog
from pedigree.localaws.services.sagemaker.endpoints.hosting import HostEnvironment
from pedigree.localaws.services.sagemaker.resources import models
from pedigree.localaws.services.sagemaker.transforms.runner import STATUS, TRANSFORM, TransformRunner
from tests.support.images import any_image
from tests.support.transform_jobs import JOB
from tests.support.waiting import until
from tests.support.worlds import ROLE, ManualClock, world


class RefusedRoles:
    """Roles that may not read anything."""

    def environment(self, _role: str, _source: str) -> dict[str, str]:
        return {}

    def objects(self, _role: str, _source: str) -> ObjectCatalog:
        raise ServiceError("AccessDenied", "nobody may ask")


class Full(Store):
    """A memory that has no room for a while."""

    failures = 0

    def update(self, kind: str, name: str, function: Callable[[Document], Document]) -> Document:
        if not self.failures:
            self.failures += 1
            raise OSError("No space left on device")
        return super().update(kind, name, function)


def test_the_end_of_a_job_is_noted_once_there_is_room(tmp_path: Path) -> None:
    local = world(tmp_path)
    memory = Full(tmp_path / "state.sqlite")
    memory.put(TRANSFORM, "job", {**JOB, "TransformJobArn": "arn:job", STATUS: "Stopping"})
    host = HostEnvironment({}, LogFiles(tmp_path / "logs", ManualClock()), RefusedRoles(), any_image(tmp_path))
    TransformRunner(replace(local, store=memory), host).start("job")
    until(lambda: memory.get(TRANSFORM, "job")[STATUS], "Stopped")
    assert memory.failures == 1


def test_a_stop_that_comes_before_the_start_holds(tmp_path: Path) -> None:
    local = world(tmp_path)
    container = {"Image": "image", "ModelDataUrl": "s3://bucket/model"}
    models.MODEL.create(local, {"ModelName": JOB["ModelName"], "PrimaryContainer": container, "ExecutionRoleArn": ROLE})
    local.store.put(TRANSFORM, "job", {**JOB, "TransformJobArn": "arn:job", STATUS: "InProgress"})
    host = HostEnvironment({}, LogFiles(tmp_path / "logs", ManualClock()), RefusedRoles(), any_image(tmp_path))
    transforms = TransformRunner(local, host)
    transforms.stop("job")
    transforms.start("job")
    until(lambda: local.store.get(TRANSFORM, "job")[STATUS] not in ("InProgress", "Stopping"), True)
    assert local.store.get(TRANSFORM, "job")[STATUS] == "Stopped"
