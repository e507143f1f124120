"""What a role brings to the jobs and models that SageMaker runs with it: credentials, and access to objects in S3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pedigree.iam import Request
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.iam.authorizer import Authorizer
from pedigree.localaws.iam.sessions import Sessions
from pedigree.localaws.kernel.clients import SAGEMAKER
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.s3.catalog import ObjectCatalog
from pedigree.localaws.services.sagemaker.resources.role_catalog import RoleCatalog


class RoleAccess(Protocol):
    """Roles by ARN; source is the ARN of the resource that SageMaker takes the role for."""

    def environment(self, role: str, source: str) -> Mapping[str, str]:
        """The credentials of the role, as environment variables; none without a role."""
        ...

    def objects(self, role: str, source: str) -> ObjectCatalog:
        """The objects, as far as the role may read and write them."""
        ...


def role_environment(roles: RoleAccess, role: str, source: str) -> Mapping[str, str]:
    """The credentials of a model's role; InvalidRequestError if SageMaker cannot assume it."""
    try:
        return roles.environment(role, source)
    except ServiceError:
        raise InvalidRequestError(
            f'The execution role ARN "{role}" is invalid. Please ensure that the role exists and that its trust '
            f'relationship policy allows the action "sts:AssumeRole" for the service principal "{SAGEMAKER}".'
        ) from None


@dataclass(frozen=True)
class AssumedRoles:
    """Roles that the local AWS's IAM lets SageMaker assume."""

    world: World
    authorizer: Authorizer
    sessions: Sessions
    catalog: ObjectCatalog

    def environment(self, role: str, source: str) -> Mapping[str, str]:
        return self.sessions.credentials(role, SAGEMAKER, source) if role else {}

    def objects(self, role: str, source: str) -> ObjectCatalog:
        if not role or not self.authorizer.is_enforced:
            return self.catalog
        caller = self.sessions.caller(role, SAGEMAKER, source)

        def check(request: Request) -> None:
            self.authorizer.check(caller, (request,), self.world.region)

        return RoleCatalog(self.world.store, self.catalog.blobs, self.world.clock, check)
