"""The model registry: groups of model packages, and the numbered versions in them."""

from __future__ import annotations

from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import events, package_members
from pedigree.localaws.services.sagemaker.resources.listing import Listing
from pedigree.localaws.services.sagemaker.resources.resource import Resource

_COUNTER = "model-package-counter"
_EVENT = "SageMaker Model Package State Change"


class _RegistryResource(Resource):
    """The registry has its own words for a name that is missing or exists already."""

    def missing(self, world: World, name: str) -> ServiceError:
        return InvalidRequestError(f"{self.label} {self.arn(world, name)} does not exist.")

    def taken(self, world: World, name: str) -> ServiceError:
        return InvalidRequestError(f"{self.label} already exists: {self.arn(world, name)}")


GROUP = _RegistryResource(
    "model-package-group",
    "Model Package Group",
    "ModelPackageGroupName",
    "ModelPackageGroupArn",
    Listing("ModelPackageGroupSummaryList", "ModelPackageGroupName"),
)
PACKAGE = _RegistryResource(
    "model-package",
    "ModelPackage",
    "ModelPackageName",
    "ModelPackageArn",
    Listing("ModelPackageSummaryList", "ModelPackageName", "ModelPackageStatus"),
)


def name_of(world: World, name_or_arn: str) -> str:
    """The name of a group or package, which a request may give as its ARN."""
    return name_or_arn.removeprefix(PACKAGE.arn(world, "")).removeprefix(GROUP.arn(world, ""))


def versions(world: World, group: str) -> list[Document]:
    """The versions of a group."""
    return [package for package in PACKAGE.all(world) if package.get("ModelPackageGroupName") == group]


def next_number(world: World, group: str) -> int:
    """The number of a group's next version: never one of a version that was deleted."""
    number = int((world.store.find(_COUNTER, group) or {"last": 0})["last"]) + 1
    world.store.put(_COUNTER, group, {"last": number})
    return number


def emit_change(world: World, package: Document, **more: Any) -> None:
    """Emit the event for a version that was registered or whose approval changed."""
    detail = package_members.event_detail(package)
    events.publish(world, _EVENT, [package["ModelPackageArn"]], {**detail, **more})
