"""A deleted endpoint stays deleted while other changes are in progress, and is removed once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.logs.streams import LogFiles
from pedigree.localaws.services.s3.catalog import ObjectCatalog
from pedigree.localaws.services.sagemaker.endpoints.endpoints import Endpoints
from pedigree.localaws.services.sagemaker.endpoints.hosting import HostEnvironment
from pedigree.localaws.services.sagemaker.endpoints.operations import EndpointOperations
from pedigree.localaws.services.sagemaker.endpoints.resource import ENDPOINT
from pedigree.localaws.services.sagemaker.resources import models
from tests.support.images import any_image
from tests.support.waiting import until
from tests.support.worlds import ROLE, ManualClock, world

NAME = {"EndpointName": "dogs"}


class RefusedRoles:
    """Roles that may not read the model, which is said only after a while."""

    def __init__(self) -> None:
        self.is_called, self.may_go_on = threading.Event(), threading.Event()

    def environment(self, _role: str, _source: str) -> dict[str, str]:
        return {}

    def objects(self, _role: str, _source: str) -> ObjectCatalog:
        self.is_called.set()
        assert self.may_go_on.wait(30)
        raise ServiceError("AccessDenied", "no model for you")


class Parted(Endpoints):
    """Endpoints whose removals are requested and do not happen."""

    def __init__(self, local: World, host: HostEnvironment) -> None:
        super().__init__(local, host, lambda _alarms: ())
        self.removed: list[str] = []

    def remove(self, name: str) -> None:
        self.removed.append(name)


@pytest.fixture
def local(tmp_path: Path) -> World:
    return world(tmp_path)


@pytest.fixture
def roles() -> RefusedRoles:
    return RefusedRoles()


def host(local: World, roles: RefusedRoles) -> HostEnvironment:
    return HostEnvironment({}, LogFiles(local.folder / "logs", ManualClock()), roles, any_image(local.folder))


def create_endpoint(local: World, status: str) -> None:
    """An endpoint, its configuration and its model, as documents."""
    container = {"Image": "image", "ModelDataUrl": "s3://bucket/model"}
    models.MODEL.create(local, {"ModelName": "v1", "PrimaryContainer": container, "ExecutionRoleArn": ROLE})
    variant = {"VariantName": "all", "ModelName": "v1", "InitialInstanceCount": 1}
    models.ENDPOINT_CONFIG.create(local, {"EndpointConfigName": "v1", "ProductionVariants": [variant]})
    body = {**NAME, "EndpointConfigName": "v1", "EndpointArn": local.arn("sagemaker", "endpoint/dogs")}
    local.store.put(ENDPOINT.kind, "dogs", {**body, "EndpointStatus": status})


def status(local: World) -> str:
    return str(local.store.get(ENDPOINT.kind, "dogs")["EndpointStatus"])


def deleted(local: World) -> None:
    local.store.update(ENDPOINT.kind, "dogs", lambda before: {**before, "EndpointStatus": "Deleting"})


def all_done() -> None:
    for thread in threading.enumerate():
        if thread.name == "endpoint dogs":
            thread.join(30)


def test_an_endpoint_that_is_deleted_twice_is_removed_once(local: World, roles: RefusedRoles) -> None:
    create_endpoint(local, "InService")
    endpoints = Parted(local, host(local, roles))
    delete = EndpointOperations(endpoints).delete_endpoint
    answers = [delete(local, dict(NAME)) for _ in range(2)]
    assert (answers, endpoints.removed, status(local)) == ([{}, {}], ["dogs"], "Deleting")


def test_what_fails_while_an_endpoint_is_deleted_does_not_bring_it_back(local: World, roles: RefusedRoles) -> None:
    create_endpoint(local, "Creating")
    Endpoints(local, host(local, roles), lambda _alarms: ()).begin("dogs")
    assert roles.is_called.wait(30)
    deleted(local)
    roles.may_go_on.set()
    all_done()
    assert status(local) == "Deleting"


class Full(Store):
    """A memory that has no room for a while."""

    failures = 0

    def update(self, kind: str, name: str, function: Callable[[Document], Document]) -> Document:
        if self.failures < 2:
            self.failures += 1
            raise OSError("No space left on device")
        return super().update(kind, name, function)


def test_that_an_endpoint_has_failed_is_noted_once_there_is_room(
    local: World, roles: RefusedRoles, tmp_path: Path
) -> None:
    create_endpoint(local, "Creating")
    memory = Full(tmp_path / "state.sqlite")
    roles.may_go_on.set()
    Endpoints(replace(local, store=memory), host(local, roles), lambda _alarms: ()).begin("dogs")
    until(lambda: status(local), "Failed")
    assert memory.failures == 2


@pytest.mark.parametrize("now", ["Deleting", "Updating", ""])
def test_an_endpoint_that_is_not_in_service_is_not_scaled(local: World, roles: RefusedRoles, now: str) -> None:
    if now:
        create_endpoint(local, now)
    problems: list[str] = []
    Endpoints(local, host(local, roles), lambda _alarms: ()).scale("dogs", {"all": 2}, problems.append)
    all_done()
    body = local.store.find(ENDPOINT.kind, "dogs") or {}
    assert (problems, body.get("EndpointStatus", ""), "_counts" in body) == (
        ["the endpoint is not in service"],
        now,
        False,
    )
