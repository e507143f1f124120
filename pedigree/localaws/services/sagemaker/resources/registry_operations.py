"""The operations of the model registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.iam import PolicyKind
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.iam.policy_documents import read_policy
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources.handlers import CALLER, Request, modified_by
from pedigree.localaws.services.sagemaker.resources.package_members import completed, described, stored
from pedigree.localaws.services.sagemaker.resources.registry import (
    GROUP,
    PACKAGE,
    emit_change,
    name_of,
    next_number,
    versions,
)

GROUP_POLICY = "model-package-group-policy"
_REQUEST = "model-package-request"
_UPDATABLE = (
    "ModelApprovalStatus",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)
_IN_EVENTS = (*_UPDATABLE, "CustomerMetadataProperties")


def create_model_package_group(world: World, request: Request) -> Mapping[str, Any]:
    return GROUP.create(world, request, ModelPackageGroupStatus="Completed", CreatedBy=request.get(CALLER, {}))


list_model_package_groups = GROUP.list


def describe_model_package_group(world: World, request: Request) -> Mapping[str, Any]:
    return GROUP.get(world, name_of(world, request["ModelPackageGroupName"]))


def delete_model_package_group(world: World, request: Request) -> Mapping[str, Any]:
    name = name_of(world, request["ModelPackageGroupName"])
    if versions(world, name):
        raise ServiceError("ConflictException", f"Model Package Group {name} cannot be deleted while it has versions.")
    GROUP.remove(world, name)
    if world.store.find(GROUP_POLICY, name) is not None:
        world.store.remove(GROUP_POLICY, name)
    return {}


def put_model_package_group_policy(world: World, request: Request) -> Mapping[str, Any]:
    group = _group_with_policy(world, request)
    read_policy(request["ResourcePolicy"], "The ResourcePolicy", PolicyKind.RESOURCE, "ValidationException")
    world.store.put(GROUP_POLICY, group["ModelPackageGroupName"], {"ResourcePolicy": request["ResourcePolicy"]})
    return group


def get_model_package_group_policy(world: World, request: Request) -> Mapping[str, Any]:
    group = _group_with_policy(world, request)
    policy = world.store.find(GROUP_POLICY, group["ModelPackageGroupName"])
    if policy is None:
        raise InvalidRequestError(f"Cannot find resource policy for: {group['ModelPackageGroupArn']}.")
    return policy


def _group_with_policy(world: World, request: Request) -> Document:
    """The group of a request about its policy, which has words of its own for one that is missing."""
    name = name_of(world, request["ModelPackageGroupName"])
    group = world.store.find(GROUP.kind, name)
    if group is None:
        raise InvalidRequestError(f"Cannot find Model Package Group: {GROUP.arn(world, name)}.")
    return group


def delete_model_package_group_policy(world: World, request: Request) -> Mapping[str, Any]:
    with world.store.transaction():
        get_model_package_group_policy(world, request)
        world.store.remove(GROUP_POLICY, name_of(world, request["ModelPackageGroupName"]))
    return {}


def batch_describe_model_package(world: World, request: Request) -> Mapping[str, Any]:
    """Describe several packages, and say why where one cannot be described."""
    found: dict[str, Any] = {}
    failed: dict[str, Any] = {}
    for arn in request["ModelPackageArnList"]:
        try:
            found[arn] = PACKAGE.get(world, name_of(world, arn))
        except ServiceError as error:
            failed[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
    return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": failed}


def create_model_package(world: World, request: Request) -> Mapping[str, Any]:
    group = request.get("ModelPackageGroupName")
    if (group is None) == (request.get("ModelPackageName") is None):
        raise InvalidRequestError("Give either a ModelPackageGroupName, for a version, or a ModelPackageName.")
    if group is None:
        return PACKAGE.create(world, completed(request), CreatedBy=request.get(CALLER, {}))
    with world.store.transaction():
        name, token = name_of(world, group), request.get("ClientToken")
        earlier = world.store.find(_REQUEST, f"{name}/{token}") if token else None
        if earlier:
            return earlier
        GROUP.get(world, name)
        number = next_number(world, name)
        members = {
            "ModelPackageGroupName": name,
            "ModelPackageVersion": number,
            "ModelApprovalStatus": request.get("ModelApprovalStatus", "PendingManualApproval"),
            "CreatedBy": request.get(CALLER, {}),
        }
        numbered = {**request, "ModelPackageName": f"{name}/{number}"}
        package = PACKAGE.create(world, completed(numbered), **members)
        if token:
            world.store.put(_REQUEST, f"{name}/{token}", {"ModelPackageArn": package["ModelPackageArn"]})
        emit_change(world, package)
    return package


def describe_model_package(world: World, request: Request) -> Mapping[str, Any]:
    return described(PACKAGE.get(world, name_of(world, request["ModelPackageName"])))


def update_model_package(world: World, request: Request) -> Mapping[str, Any]:
    name = name_of(world, request["ModelPackageArn"])

    def updated(package: Document) -> Document:
        removed = set(request.get("CustomerMetadataPropertiesToRemove", ()))
        properties = {**package.get("CustomerMetadataProperties", {}), **request.get("CustomerMetadataProperties", {})}
        return {
            **package,
            **stored({member: request[member] for member in _UPDATABLE if member in request}),
            "CustomerMetadataProperties": {key: value for key, value in properties.items() if key not in removed},
            "LastModifiedTime": world.now(),
            **modified_by(request),
        }

    with world.store.transaction():
        before = PACKAGE.get(world, name)
        after = world.store.update(PACKAGE.kind, name, updated)
        changed = [member for member in _IN_EVENTS if (after.get(member) or None) != (before.get(member) or None)]
        if changed:
            emit_change(world, after, UpdatedModelPackageFields=changed)
    return after


def delete_model_package(world: World, request: Request) -> Mapping[str, Any]:
    PACKAGE.remove(world, name_of(world, request["ModelPackageName"]))
    return {}


def list_model_packages(world: World, request: Request) -> Mapping[str, Any]:
    group, approval = request.get("ModelPackageGroupName"), request.get("ModelApprovalStatus")
    kind = request.get("ModelPackageType", "Versioned" if group else "Unversioned")
    chosen = [
        package
        for package in PACKAGE.all(world)
        if kind in ("Both", "Versioned" if "ModelPackageVersion" in package else "Unversioned")
        and (not group or package.get("ModelPackageGroupName") == name_of(world, group))
        and (not approval or package.get("ModelApprovalStatus") == approval)
    ]
    answer = PACKAGE.listing.answer(chosen, request)
    return {**answer, PACKAGE.listing.key: [described(package) for package in answer[PACKAGE.listing.key]]}
