"""The model registry: groups, and the versions in them, which are approved or not.

A version that is registered, and one whose approval changes, is told on the bus as EventBridge has it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import events
from pedigree.localaws.services.sagemaker.resources.listing import Listing
from pedigree.localaws.services.sagemaker.resources.resources import Resource, usual
from pedigree.localaws.services.sagemaker.resources.service import Handler, Request

_COUNTER = "model-package-counter"
_POLICY = "model-package-group-policy"
_ASKED = "model-package-request"
_CHANGEABLE = (
    "ModelApprovalStatus",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)
_TOLD = (*_CHANGEABLE, "CustomerMetadataProperties")


class _Registered(Resource):
    """What is in the registry says in words of its own that it is missing or there already."""

    def missing(self, world: World, name: str) -> ServiceError:
        return InvalidRequestError(f"{self.called} {self.arn(world, name)} does not exist.")

    def taken(self, world: World, name: str) -> ServiceError:
        return InvalidRequestError(f"{self.called} already exists: {self.arn(world, name)}")


GROUP = _Registered(
    "model-package-group",
    "Model Package Group",
    "ModelPackageGroupName",
    "ModelPackageGroupArn",
    Listing("ModelPackageGroupSummaryList", "ModelPackageGroupName"),
)
PACKAGE = _Registered(
    "model-package",
    "ModelPackage",
    "ModelPackageName",
    "ModelPackageArn",
    Listing("ModelPackageSummaryList", "ModelPackageName", "ModelPackageStatus"),
)


def name_of(world: World, name_or_arn: str) -> str:
    """A resource's name, which callers may give as its ARN."""
    prefix = PACKAGE.arn(world, "")
    other = GROUP.arn(world, "")
    return name_or_arn.removeprefix(prefix).removeprefix(other)


def _create_group(world: World, request: Request) -> Mapping[str, Any]:
    return GROUP.create(world, request, ModelPackageGroupStatus="Completed")


def _describe_group(world: World, request: Request) -> Mapping[str, Any]:
    return GROUP.get(world, name_of(world, request["ModelPackageGroupName"]))


def _delete_group(world: World, request: Request) -> Mapping[str, Any]:
    name = name_of(world, request["ModelPackageGroupName"])
    if _versions(world, name):
        raise ServiceError("ConflictException", f"Model Package Group {name} cannot be deleted while it has versions.")
    GROUP.remove(world, name)
    if world.store.find(_POLICY, name) is not None:
        world.store.remove(_POLICY, name)
    return {}


def _put_policy(world: World, request: Request) -> Mapping[str, Any]:
    group = GROUP.get(world, name_of(world, request["ModelPackageGroupName"]))
    try:
        is_policy = isinstance(json.loads(request["ResourcePolicy"]), dict)
    except ValueError:
        is_policy = False
    if not is_policy:
        raise InvalidRequestError("The ResourcePolicy is no JSON document.")
    world.store.put(_POLICY, group["ModelPackageGroupName"], {"ResourcePolicy": request["ResourcePolicy"]})
    return group


def _get_policy(world: World, request: Request) -> Mapping[str, Any]:
    group = GROUP.get(world, name_of(world, request["ModelPackageGroupName"]))
    found = world.store.find(_POLICY, group["ModelPackageGroupName"])
    if found is None:
        raise InvalidRequestError(f"Cannot find resource policy for: {group['ModelPackageGroupArn']}.")
    return found


def _delete_policy(world: World, request: Request) -> Mapping[str, Any]:
    with world.store.transaction():
        _get_policy(world, request)
        world.store.remove(_POLICY, name_of(world, request["ModelPackageGroupName"]))
    return {}


def _describe_batch(world: World, request: Request) -> Mapping[str, Any]:
    """What is known of each package, and of each that cannot be described, why."""
    described: dict[str, Any] = {}
    failed: dict[str, Any] = {}
    for arn in request["ModelPackageArnList"]:
        try:
            described[arn] = PACKAGE.get(world, name_of(world, arn))
        except ServiceError as error:
            failed[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
    return {"ModelPackageSummaries": described, "BatchDescribeModelPackageErrorMap": failed}


def _create_package(world: World, request: Request) -> Mapping[str, Any]:
    group = request.get("ModelPackageGroupName")
    if (group is None) == (request.get("ModelPackageName") is None):
        raise InvalidRequestError("Give either a ModelPackageGroupName, for a version, or a ModelPackageName.")
    completed = {"ModelPackageStatus": "Completed", "ModelPackageStatusDetails": {"ValidationStatuses": []}}
    if group is None:
        return PACKAGE.create(world, request, **completed)
    with world.store.transaction():
        name, token = name_of(world, group), request.get("ClientToken")
        known = world.store.find(_ASKED, f"{name}/{token}") if token else None
        if known:
            return known
        GROUP.get(world, name)
        number = _next_number(world, name)
        members = {
            "ModelPackageGroupName": name,
            "ModelPackageVersion": number,
            "ModelApprovalStatus": request.get("ModelApprovalStatus", "PendingManualApproval"),
        }
        asked = {**request, "ModelPackageName": f"{name}/{number}"}
        package = PACKAGE.create(world, asked, **members, **completed)
        if token:
            world.store.put(_ASKED, f"{name}/{token}", {"ModelPackageArn": package["ModelPackageArn"]})
        _tell(world, package)
    return package


def _next_number(world: World, group: str) -> int:
    """The number of a group's next version; none is given twice, even when the newest version was removed."""
    number = int((world.store.find(_COUNTER, group) or {"last": 0})["last"]) + 1
    world.store.put(_COUNTER, group, {"last": number})
    return number


def _describe_package(world: World, request: Request) -> Mapping[str, Any]:
    package = PACKAGE.get(world, name_of(world, request["ModelPackageName"]))
    return {"ModelPackageStatusDetails": {"ValidationStatuses": []}, **package}


def _update_package(world: World, request: Request) -> Mapping[str, Any]:
    name = name_of(world, request["ModelPackageArn"])

    def updated(package: Document) -> Document:
        removed = set(request.get("CustomerMetadataPropertiesToRemove", ()))
        properties = {**package.get("CustomerMetadataProperties", {}), **request.get("CustomerMetadataProperties", {})}
        return {
            **package,
            **{member: request[member] for member in _CHANGEABLE if member in request},
            "CustomerMetadataProperties": {key: value for key, value in properties.items() if key not in removed},
            "LastModifiedTime": world.now(),
        }

    with world.store.transaction():
        before = PACKAGE.get(world, name)
        after = world.store.update(PACKAGE.kind, name, updated)
        changed = [member for member in _TOLD if (after.get(member) or None) != (before.get(member) or None)]
        if changed:
            _tell(world, after, UpdatedModelPackageFields=changed)
    return after


def _delete_package(world: World, request: Request) -> Mapping[str, Any]:
    PACKAGE.remove(world, name_of(world, request["ModelPackageName"]))
    return {}


def _list_packages(world: World, request: Request) -> Mapping[str, Any]:
    group, approval = request.get("ModelPackageGroupName"), request.get("ModelApprovalStatus")
    kind = request.get("ModelPackageType", "Versioned" if group else "Unversioned")
    chosen = [
        one
        for one in PACKAGE.all(world)
        if kind in ("Both", "Versioned" if "ModelPackageVersion" in one else "Unversioned")
        and (not group or one.get("ModelPackageGroupName") == name_of(world, group))
        and (not approval or one.get("ModelApprovalStatus") == approval)
    ]
    return PACKAGE.listing.answer(chosen, request)


def _versions(world: World, group: str) -> list[Document]:
    return [one for one in PACKAGE.all(world) if one.get("ModelPackageGroupName") == group]


def _tell(world: World, package: Document, **more: Any) -> None:
    members = (
        *("ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn"),
        *("ModelPackageDescription", "CreationTime", "ModelPackageStatus", "ModelApprovalStatus"),
    )
    detail = {**{member: package[member] for member in members if member in package}, **more}
    events.publish(world, "SageMaker Model Package State Change", [package["ModelPackageArn"]], detail)


HANDLERS: Mapping[str, Handler] = {
    **usual(GROUP, "ModelPackageGroup", "ModelPackageGroups", _create_group),
    "DescribeModelPackageGroup": _describe_group,
    "DeleteModelPackageGroup": _delete_group,
    "CreateModelPackage": _create_package,
    "DescribeModelPackage": _describe_package,
    "UpdateModelPackage": _update_package,
    "DeleteModelPackage": _delete_package,
    "ListModelPackages": _list_packages,
    "BatchDescribeModelPackage": _describe_batch,
    "PutModelPackageGroupPolicy": _put_policy,
    "GetModelPackageGroupPolicy": _get_policy,
    "DeleteModelPackageGroupPolicy": _delete_policy,
}
