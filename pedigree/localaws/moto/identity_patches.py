"""Patches of moto's IAM and STS: users have permissions boundaries, and sessions keep what limits and describes them.

Each function below makes a replacement for one of moto's, and its docstring says what AWS does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.exceptions import DeleteConflictException, InvalidInput, NotFoundException
from moto.iam.models import IAMBackend, Role, User, iam_backends
from moto.iam.responses import IamResponse
from moto.sts.responses import TokenResponse

from pedigree.localaws.moto.federation import federated_user

BOUNDARY = "permissions_boundary_arn"
"""The attribute of moto's roles, and of users here, that has the ARN of the permissions boundary."""
POLICY_ARNS, TAGS, TRANSITIVE_TAGS = "session_policy_arns", "session_tags", "transitive_tags"
"""The attributes that a session keeps its managed policies and its tags in."""
_USER_SECONDS, _ROOT_SECONDS = 43_200, 3600
_MOST_PACKED = 2048
_SUFFIXED = ("autoscaling.amazonaws.com", "connect.amazonaws.com", "lexv2.amazonaws.com")
_SCALING_POLICY = "arn:aws:iam::aws:policy/aws-service-role/AWSApplicationAutoscalingSageMakerEndpointPolicy"
_LIMITING = ("Policy", "PolicyArns", "Tags")


def _check_boundary(backend: IAMBackend, arn: str | None) -> None:
    """A boundary is a managed policy that exists."""
    if arn and arn not in backend.managed_policies:
        raise NotFoundException(f"Scope ARN: {arn} does not exist or is not attachable.")


def create_user(original: Any) -> Callable[..., Any]:
    """A user may have a boundary from the start."""

    def create(self: IamResponse) -> Any:
        arn = self._get_param("PermissionsBoundary")
        _check_boundary(self.backend, arn)
        answer = original(self)
        setattr(answer.result["User"], BOUNDARY, arn)
        return answer

    return create


class NewRole:
    """A role as CreateRole answers: how long sessions last, and its last use, are in GetRole's answer alone."""

    def __init__(self, role: Role) -> None:
        self._role = role

    def __getattr__(self, name: str) -> Any:
        if name in {"max_session_duration", "role_last_used"}:
            raise AttributeError(name)
        return getattr(self._role, name)


def create_role_response(original: Any) -> Callable[..., Any]:
    """The answer to CreateRole has fewer members than GetRole's."""

    def create(self: IamResponse) -> ActionResult:
        return ActionResult({"Role": NewRole(original(self).result["Role"])})

    return create


def put_user_boundary(_original: Any) -> Callable[..., Any]:
    """moto lacks PutUserPermissionsBoundary."""

    def put(self: IamResponse) -> ActionResult:
        arn = self._get_param("PermissionsBoundary")
        _check_boundary(self.backend, arn)
        setattr(self.backend.get_user(self._get_param("UserName")), BOUNDARY, arn)
        return EmptyResult()

    return put


def delete_user_boundary(_original: Any) -> Callable[..., Any]:
    """moto lacks DeleteUserPermissionsBoundary."""

    def delete(self: IamResponse) -> ActionResult:
        setattr(self.backend.get_user(self._get_param("UserName")), BOUNDARY, None)
        return EmptyResult()

    return delete


def boundary(_original: Any) -> property:
    """The description of a user or a role has its boundary."""

    def described(self: User | Role) -> Mapping[str, str] | None:
        arn = getattr(self, BOUNDARY, None)
        # Not the word of AWS's model, but the one that AWS answers.
        return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn} if arn else None

    return property(described)


def create_role(original: Any) -> Callable[..., Any]:
    """The boundary of a new role exists."""

    def create(self: IAMBackend, *args: Any, **named: Any) -> Any:
        _check_boundary(self, named.get("permissions_boundary") or (args[3] if len(args) > 3 else None))
        return original(self, *args, **named)

    return create


def put_role_boundary(original: Any) -> Callable[..., Any]:
    """The boundary of a role exists."""

    def put(self: IAMBackend, role_name: str, permissions_boundary: str) -> Any:
        _check_boundary(self, permissions_boundary)
        return original(self, role_name, permissions_boundary)

    return put


def delete_policy(original: Any) -> Callable[..., Any]:
    """A policy that is somebody's boundary cannot be deleted."""

    def delete(self: IAMBackend, policy_arn: str) -> Any:
        if any(getattr(owner, BOUNDARY, None) == policy_arn for owner in (*self.roles.values(), *self.users.values())):
            raise DeleteConflictException("Cannot delete a policy attached to entities.")
        return original(self, policy_arn)

    return delete


def assume_role(original: Any) -> Callable[..., Any]:
    """A session has the managed policies that limit it, and its tags; without them, nothing has a packed size."""

    def assume(self: TokenResponse) -> Any:
        answer = original(self)
        taken = answer.result["Credentials"]
        setattr(taken, POLICY_ARNS, [policy["arn"] for policy in self._get_param("PolicyArns", [])])
        tags = {tag["Key"]: tag["Value"] for tag in self._get_param("Tags", [])}
        passed_on = {key.lower() for key in self._get_param("TransitiveTagKeys", [])}
        asking = self.backend.get_assumed_role_from_access_key(self.access_key)
        inherited: Mapping[str, str] = getattr(asking, TRANSITIVE_TAGS, {})
        transitive = {key: value for key, value in tags.items() if key.lower() in passed_on}
        setattr(taken, TAGS, {**inherited, **tags})
        setattr(taken, TRANSITIVE_TAGS, {**inherited, **transitive})
        if not any(self._get_param(member) for member in _LIMITING):
            del answer.result["PackedPolicySize"]
        return answer

    return assume


def get_federation_token(_original: Any) -> Callable[..., Any]:
    """A federated user's keys open what both its session policies and those of the user who gives it out allow."""

    def get(self: TokenResponse) -> ActionResult:
        giver = iam_backends[self.current_account][self.partition].get_user_from_access_key_id(self.access_key)
        seconds = self._get_int_param("DurationSeconds", _USER_SECONDS if giver else _ROOT_SECONDS)
        root = f"arn:{self.partition}:iam::{self.current_account}:root"
        taken = federated_user(
            self.backend, self._get_param("Name"), giver.arn if giver else root, self._get_param("Policy"), seconds
        )
        setattr(taken, POLICY_ARNS, [policy["arn"] for policy in self._get_param("PolicyArns", [])])
        setattr(taken, TAGS, {tag["Key"]: tag["Value"] for tag in self._get_param("Tags", [])})
        user = {"FederatedUserId": taken.user_id, "Arn": taken.arn}
        size = len(self._get_param("Policy") or "") * 100 // _MOST_PACKED
        return ActionResult({"Credentials": taken, "FederatedUser": user, "PackedPolicySize": size})

    return get


def linked_role(original: Any) -> Callable[..., Any]:
    """A service has one role of its own; a few services have several, with a suffix each."""

    def create_service_linked_role(self: IAMBackend, service_name: str, description: str, suffix: str) -> Any:
        if suffix and service_name not in _SUFFIXED:
            raise InvalidInput(f"Custom suffix is not allowed for {service_name}")
        for role in self.roles.values():
            if role.path == f"/aws-service-role/{service_name}/" and role.name.endswith(f"_{suffix}" if suffix else ""):
                taken = "has been taken in this account, please try a different suffix."
                raise InvalidInput(f"Service role name {role.name} {taken}")
        role = original(self, service_name, description, suffix)
        statement = {"Effect": "Allow", "Principal": {"Service": service_name}, "Action": "sts:AssumeRole"}
        role.assume_role_policy_document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        if service_name == "sagemaker.application-autoscaling.amazonaws.com":
            role.name = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
            self.attach_role_policy(_SCALING_POLICY, role.name)
        return role

    return create_service_linked_role


def delete_linked_role(original: Any) -> Callable[..., Any]:
    """The role of a service is deleted with its policies still attached."""

    def delete_service_linked_role(self: IAMBackend, role_name: str) -> Any:
        for arn in tuple(self.get_role(role_name).managed_policies):
            self.detach_role_policy(arn, role_name)
        return original(self, role_name)

    return delete_service_linked_role


IDENTITY_PATCHES: tuple[tuple[Any, str, Callable[[Any], Any]], ...] = (
    (IamResponse, "create_user", create_user),
    (IamResponse, "put_user_permissions_boundary", put_user_boundary),
    (IamResponse, "delete_user_permissions_boundary", delete_user_boundary),
    (User, "permissions_boundary", boundary),
    (IAMBackend, "create_role", create_role),
    (IAMBackend, "create_service_linked_role", linked_role),
    (IAMBackend, "delete_service_linked_role", delete_linked_role),
    (Role, "permissions_boundary", boundary),
    (IamResponse, "create_role", create_role_response),
    (IAMBackend, "put_role_permissions_boundary", put_role_boundary),
    (IAMBackend, "delete_policy", delete_policy),
    (TokenResponse, "assume_role", assume_role),
    (TokenResponse, "get_federation_token", get_federation_token),
)
