"""The roles: who may take each, the one inline policy of each, and the instance profile by which a machine takes its.

The documents come from iam/, filled from settings by roles.py. A role of the same name that is not this
pipeline's is never changed: another program may depend on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pedigree.account import differences
from pedigree.account.account import Account
from pedigree.account.plan import ApiCall, Change
from pipeline.account import tags
from pipeline.settings.tree import Settings

POLICY = "pedigree"
MACHINES = "ec2"  # the party whose role machines take, by an instance profile
LINKED_SERVICE = "sagemaker.application-autoscaling.amazonaws.com"
_LINKED_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


class Documents(Protocol):
    """The trust policy and the policy of a role."""

    @property
    def trust(self) -> Mapping[str, Any]:
        """The trust policy."""
        ...

    @property
    def policy(self) -> Mapping[str, Any]:
        """The policy."""
        ...


@dataclass(frozen=True)
class Role:
    """One role, with its one inline policy."""

    name: str
    description: str
    documents: Documents
    tags: tags.Tags

    def changes(self, account: Account) -> Iterator[Change]:
        """Create it, or update what differs."""
        existing = account.find("iam", "get_role", RoleName=self.name)
        if existing is None:
            yield Change("create", "role", self.name, (self._creation(), self._policy_call()))
            return
        yield from self._repair(existing["Role"], account)

    def _creation(self) -> ApiCall:
        arguments = {
            "RoleName": self.name,
            "Description": self.description,
            "AssumeRolePolicyDocument": json.dumps(self.documents.trust),
            "Tags": tags.pairs(self.tags),
        }
        return ApiCall("iam", "create_role", arguments)

    def _policy_call(self) -> ApiCall:
        document = json.dumps(self.documents.policy)
        return ApiCall(
            "iam", "put_role_policy", {"RoleName": self.name, "PolicyName": POLICY, "PolicyDocument": document}
        )

    def _repair(self, role: Mapping[str, Any], account: Account) -> Iterator[Change]:
        labels = owned("role", self.name, role, self.tags)
        policy = account.find("iam", "get_role_policy", RoleName=self.name, PolicyName=POLICY) or {}
        lacking = tags.lacking("role", self.name, labels, self.tags)
        trust = differences.documents("trust", role.get("AssumeRolePolicyDocument"), self.documents.trust)
        rights = differences.documents("policy", policy.get("PolicyDocument"), self.documents.policy)
        calls = []
        if trust:
            document = {"RoleName": self.name, "PolicyDocument": json.dumps(self.documents.trust)}
            calls.append(ApiCall("iam", "update_assume_role_policy", document))
        if rights:
            calls.append(self._policy_call())
        if lacking:
            calls.append(ApiCall("iam", "tag_role", {"RoleName": self.name, "Tags": tags.pairs(lacking)}))
        if calls:
            why = (*trust, *rights, *tags.differences(labels, lacking))
            yield Change("update", "role", self.name, tuple(calls), why)


@dataclass(frozen=True)
class InstanceProfile:
    """The instance profile of a role; both have the same name."""

    name: str
    tags: tags.Tags

    def changes(self, account: Account) -> Iterator[Change]:
        """Creates the profile, or puts the role into it."""
        holding = ApiCall(
            "iam", "add_role_to_instance_profile", {"InstanceProfileName": self.name, "RoleName": self.name}
        )
        existing = account.find("iam", "get_instance_profile", InstanceProfileName=self.name)
        if existing is None:
            labelled = {"InstanceProfileName": self.name, "Tags": tags.pairs(self.tags)}
            made = ApiCall("iam", "create_instance_profile", labelled)
            yield Change("create", "instance profile", self.name, (made, holding))
            return
        profile = existing["InstanceProfile"]
        labels = owned("instance profile", self.name, profile, self.tags)
        lacking = tags.lacking("instance profile", self.name, labels, self.tags)
        calls, why = [], tags.differences(labels, lacking)
        if lacking:
            labelled = {"InstanceProfileName": self.name, "Tags": tags.pairs(lacking)}
            calls.append(ApiCall("iam", "tag_instance_profile", labelled))
        if self.name not in [role["RoleName"] for role in profile["Roles"]]:
            calls += [*self._others(profile), holding]
            why = (*why, f"it does not hold role {self.name}")
        if calls:
            yield Change("update", "instance profile", self.name, tuple(calls), why)

    def _others(self, profile: Mapping[str, Any]) -> Iterator[ApiCall]:
        """Removes another role: a profile holds one at most."""
        for role in profile["Roles"]:
            membership = {"InstanceProfileName": self.name, "RoleName": role["RoleName"]}
            yield ApiCall("iam", "remove_role_from_instance_profile", membership)


@dataclass(frozen=True)
class LinkedRole:
    """The service-linked role of Application Auto Scaling, which a fresh account lacks."""

    name: str = field(default=_LINKED_ROLE, init=False)

    def changes(self, account: Account) -> Iterator[Change]:
        """Asks AWS to create it."""
        if account.find("iam", "get_role", RoleName=self.name) is None:
            made = ApiCall("iam", "create_service_linked_role", {"AWSServiceName": LINKED_SERVICE})
            yield Change("create", "service-linked role", self.name, (made,), ("the account has none yet",))


def roles(settings: Settings, documents: Mapping[str, Documents]) -> Iterator[Role]:
    """All roles, with the names that the settings give them."""
    ours, named = tags.wanted(settings), settings.site.roles.model_dump(by_alias=True)
    for party, name in named.items():
        description = f"What {party} may do for the pipeline {settings.pipeline.name}."
        yield Role(name, description, documents[party], ours)


def profile(settings: Settings) -> InstanceProfile:
    """The profile for the machines' role."""
    return InstanceProfile(getattr(settings.site.roles, MACHINES), tags.wanted(settings))


def owned(kind: str, name: str, existing: Mapping[str, Any], ours: tags.Tags) -> dict[str, str]:
    """The tags of a role or a profile; raises NameTakenError if it is not ours."""
    labels = tags.mapping(existing.get("Tags", ()))
    tags.check_made(kind, name, labels, ours, "name under site.roles")
    return labels
