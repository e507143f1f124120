"""Looks up what IAM's decisions depend on about resources: in the store, and in moto's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.iam.callers import UseBackend
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.resource_policies import ResourcePolicies
from pedigree.localaws.services.sagemaker.executions.core import state
from pedigree.localaws.services.sagemaker.resources import tags

_GLOBAL = "aws"


@dataclass(frozen=True)
class ResourceLookup:
    """The resources of all services."""

    world: World
    use_backend: UseBackend

    @property
    def account(self) -> str:
        """The account's id."""
        return self.world.account

    def tags(self, arn: str) -> Mapping[str, str]:
        """The tags of a resource, of the services whose policies ask for them."""
        _, _, service, region, *_ = [*arn.split(":", 5), "", "", ""]
        if service == "sagemaker":
            return tags.of(self.world, arn)
        if service == "ec2" and ":instance/" in arn and region == self.world.region:
            with self.use_backend("ec2", region) as ec2:
                return dict(ec2.tags.get(arn.rpartition("/")[2], {}))
        return {}

    def policy(self, resource: str) -> str:
        """The policy that holds for a resource."""
        return ResourcePolicies(self.world.store, self.use_backend).find(resource)

    def execution_of(self, token: str) -> str:
        """The ARN of the execution whose step waits with a token."""
        return str((self.world.store.find(state.CALLBACK, token) or {}).get("PipelineExecutionArn", ""))

    def function_of(self, mapping: str, region: str) -> str:
        """The ARN of the function that an event source mapping calls."""
        if region != self.world.region:
            return ""
        with self.use_backend("awslambda", region) as functions:
            existing: Any = functions.get_event_source_mapping(mapping)
            return str(existing.function_arn) if existing else ""

    def role_named(self, name: str) -> str:
        """The ARN of a role, with its path where it has one."""
        with self.use_backend("iam", _GLOBAL) as iam:
            existing = next((role for role in iam.roles.values() if role.name == name), None)
            return str(existing.arn) if existing else f"arn:aws:iam::{self.account}:role/{name}"

    def role_in(self, profile: str) -> str:
        """The ARN of the role in an instance profile."""
        with self.use_backend("iam", _GLOBAL) as iam:
            profiles = (existing for existing in iam.instance_profiles.values() if existing.name == profile)
            roles = next((existing.roles for existing in profiles), ())
            return str(roles[0].arn) if roles else ""
