"""A transform job that is stopped before it has begun does not begin."""

from __future__ import annotations

from pathlib import Path

from localaws.endpoints.recipes import Kitchen
from localaws.logs import FileLogs
from localaws.objects.catalog import Catalog
from localaws.protocol.errors import ServiceError
from localaws.sagemaker import models
from localaws.transforms.work import STATUS, TRANSFORM, Transforms
from tests.callers import until
from tests.unit.test_transforming import JOB
from tests.worlds import ROLE, SetClock, world


def refused(_role: str, _source: str) -> Catalog:
    raise ServiceError("AccessDenied", "nobody may ask")


def test_a_stop_that_comes_before_the_start_holds(tmp_path: Path) -> None:
    local = world(tmp_path)
    container = {"Image": "image", "ModelDataUrl": "s3://bucket/model"}
    models.MODEL.create(local, {"ModelName": JOB["ModelName"], "PrimaryContainer": container, "ExecutionRoleArn": ROLE})
    local.store.put(TRANSFORM, "job", {**JOB, STATUS: "InProgress"})
    kitchen = Kitchen("python", {}, FileLogs(tmp_path / "logs", SetClock()), lambda _role, _source: {}, refused)
    transforms = Transforms(local, kitchen)
    transforms.stop("job")
    transforms.start("job")
    until(lambda: local.store.get(TRANSFORM, "job")[STATUS] not in ("InProgress", "Stopping"), True)
    assert local.store.get(TRANSFORM, "job")[STATUS] == "Stopped"
