"""Whether a model's role can read its data: SageMaker looks when the model is created, as that role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.clients import SAGEMAKER
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.sagemaker.resources.model_containers import is_multi_model, model_containers, model_data
from pedigree.localaws.services.sagemaker.resources.role_access import RoleAccess, role_environment


def check(world: World, roles: RoleAccess, model: Mapping[str, Any]) -> None:
    """Refuse the request for a model whose role cannot be assumed, or cannot read all of its data."""
    role, source = str(model.get("ExecutionRoleArn", "")), world.arn("sagemaker", "*")
    data = [model_data(container) for container in model_containers(world, model).values()]
    is_multi = is_multi_model(model)
    for address, is_archive in data:
        is_one = is_archive and not is_multi
        if address and not _is_readable(roles, role, source, address, is_one=is_one, may_be_empty=is_multi):
            raise InvalidRequestError(_unreadable(address, role, world.region))
    role_environment(roles, role, source)


def _is_readable(roles: RoleAccess, role: str, source: str, address: str, *, is_one: bool, may_be_empty: bool) -> bool:
    """Whether a role may read an archive, or the objects under a prefix, which may have none yet."""
    try:
        objects, location = roles.objects(role, source), S3Location.parse(address)
        objects.bucket(location.bucket)
        if not is_one:
            return any(True for _ in objects.list_prefix(location)) or may_be_empty
        objects.open(location)[1].close()
    except (ServiceError, KeyError, ValueError):
        return False
    return True


def _unreadable(address: str, role: str, region: str) -> str:
    return (
        f'Could not access model data at {address}. Please ensure that the role "{role}" exists and that its trust '
        f'relationship policy allows the action "sts:AssumeRole" for the service principal "{SAGEMAKER}". Also ensure '
        f'that the role has "s3:GetObject" permissions and that the object is located in {region}. If your Model uses '
        'multiple models or uncompressed models, please ensure that the role has "s3:ListBucket" permission.'
    )
