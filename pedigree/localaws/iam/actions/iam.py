"""IAM: roles, users, groups, policies and instance profiles, none of which belongs to a region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.localaws.http.protocol.call import Call
from pedigree.localaws.http.protocol.models import input_shape, model
from pedigree.localaws.iam.actions.needs import ActionTable, Need
from pedigree.localaws.iam.actions.resources import Resources

# The first of these members that a request has names its resource.
_ABOUT: tuple[tuple[str, str], ...] = (
    ("InstanceProfileName", "instance-profile{Path|/}{InstanceProfileName}"),
    ("RoleName", "{RoleArn}"),
    ("UserName", "user{Path|/}{UserName}"),
    ("GroupName", "group{Path|/}{GroupName}"),
    ("PolicyArn", "{PolicyArn}"),
    ("PolicySourceArn", "{PolicySourceArn}"),
    ("PolicyName", "policy{Path|/}{PolicyName}"),
)
_LISTS = ("ListRoles", "ListUsers", "ListGroups", "ListPolicies", "ListInstanceProfiles")
_LINKED: Mapping[str, str] = {
    "sagemaker.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
}
_PASSED = {"iam:PassedToService": "InstanceService"}
_INTO_PROFILE = (
    Need("instance-profile{Path|/}{InstanceProfileName}"),
    Need("{RoleArn}", action="iam:PassRole", keys=_PASSED),
)


def _usual() -> Iterator[tuple[str, tuple[Need, ...]]]:
    for operation in model("iam").operation_names:
        shape = input_shape("iam", operation)
        members = () if shape is None or operation in _LISTS else shape.members
        about = next((resource for member, resource in _ABOUT if member in members), "")
        if about:
            yield operation, (Need(about),)


def _derive(call: Call, resources: Resources) -> Mapping[str, Any]:
    derived: dict[str, Any] = {"InstanceService": "ec2.amazonaws.com"}
    name, service = call.members.get("RoleName"), call.members.get("AWSServiceName")
    if name and call.operation == "CreateRole":
        derived["RoleArn"] = f"arn:aws:iam::{resources.account}:role{call.members.get('Path', '/')}{name}"
    elif name:
        derived["RoleArn"] = resources.role_named(str(name))
    if service:
        derived["LinkedRole"] = f"{service}/{_LINKED.get(str(service), 'AWSServiceRoleFor*')}"
    return derived


TABLE = ActionTable(
    "iam",
    "iam",
    {
        **dict(_usual()),
        "AddRoleToInstanceProfile": _INTO_PROFILE,
        "CreateRole": (Need("{RoleArn}"), Need("{RoleArn}", action="iam:TagRole", only_with="Tags")),
        "CreateInstanceProfile": (
            Need("instance-profile{Path|/}{InstanceProfileName}"),
            Need("instance-profile{Path|/}{InstanceProfileName}", action="iam:TagInstanceProfile", only_with="Tags"),
        ),
        "CreateServiceLinkedRole": (
            Need("role/aws-service-role/{LinkedRole}", keys={"iam:AWSServiceName": "AWSServiceName"}),
        ),
    },
    keys={"iam:PolicyARN": "PolicyArn", "iam:PermissionsBoundary": "PermissionsBoundary"},
    derive=_derive,
    is_global=True,
)
