"""Prepares what the instances of a configuration run: models are downloaded and unpacked, once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pedigree.archives import ArchiveError, ArchiveLimits, unpack_tar
from pedigree.errors import Mistake
from pedigree.localaws.containers.runtime import ENVIRONMENT, ContainerRuntime
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.images.recipe import Recipe
from pedigree.localaws.kernel.interfaces import LogWriter
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location, download
from pedigree.localaws.services.sagemaker.endpoints.generation import Variant
from pedigree.localaws.services.sagemaker.endpoints.instances import ANSWER_SECONDS, MODEL, InstanceError, InstanceSpec
from pedigree.localaws.services.sagemaker.resources import models, registry
from pedigree.localaws.services.sagemaker.resources.images import Images, in_environment
from pedigree.localaws.services.sagemaker.resources.role_access import RoleAccess

_ALLOWANCE = 64 << 20
_LARGEST_EXPANSION = 100
_NOT_ISOLATED = "[local AWS] there is no container for this model: EnableNetworkIsolation is not enforced"
_SERVE = "pytorch_serving"
_SUBMIT = "SAGEMAKER_SUBMIT_DIRECTORY"


@dataclass(frozen=True)
class HostEnvironment:
    """What all model servers have in common: environment variables, logs, roles, images, and containers if any."""

    environment: Mapping[str, str]
    logs: LogWriter
    roles: RoleAccess
    images: Images
    containers: ContainerRuntime | None = None


@dataclass(frozen=True)
class HostedModel:
    """A model that is ready to run: what its instances run, and its role."""

    spec: InstanceSpec
    role: str


def variants(
    world: World, host: HostEnvironment, endpoint: str, configuration: str, folder: Path
) -> tuple[Variant, ...]:
    """The variants of a configuration, ready to start; InstanceError if a model cannot be prepared."""
    described = models.ENDPOINT_CONFIG.get(world, configuration)
    return tuple(
        _variant(world, host, endpoint, configuration, folder, document) for document in described["ProductionVariants"]
    )


def _variant(
    world: World, host: HostEnvironment, endpoint: str, configuration: str, folder: Path, document: Mapping[str, Any]
) -> Variant:
    name = document["VariantName"]
    log = f"/aws/sagemaker/Endpoints/{endpoint}", f"{name}/{configuration}"
    made = host_model(world, host, document["ModelName"], folder / name, log)
    weight, serverless = document.get("InitialVariantWeight", 1.0), document.get("ServerlessConfig") or {}
    return Variant(name, made.spec, instances(document), weight, made.role, serverless)


def instances(variant: Mapping[str, Any]) -> int:
    """The initial number of instances of a variant; a serverless one has its provisioned concurrency."""
    serverless = variant.get("ServerlessConfig") or {}
    count: int = variant.get("InitialInstanceCount") or serverless.get("ProvisionedConcurrency") or 1
    return count


def host_model(
    world: World,
    host: HostEnvironment,
    name: str,
    folder: Path,
    log: tuple[str, str],
    more: Mapping[str, str] | None = None,
    seconds: float = ANSWER_SECONDS,
) -> HostedModel:
    """Prepare a model in a folder; more has further environment variables."""
    model = models.MODEL.get(world, name)
    container = _container(world, model)
    role, source = model.get("ExecutionRoleArn", ""), world.arn("sagemaker", "*")
    group, stream = log

    def on_line(line: str) -> None:
        host.logs.write(group, stream, line)

    recipe, built = _built(host.images, container.get("Image", ""), on_line)
    _download(host.roles.objects(role, source), container, folder, role)
    environment = {
        **in_environment(host.environment, built, host.images.variables(container.get("Image", ""))),
        **host.roles.environment(role, source),
        **container.get("Environment", {}),
        **(more or {}),
    }
    contained = {**ENVIRONMENT, **environment, "SM_MODEL_DIR": MODEL}
    mapped = {**environment, "SM_MODEL_DIR": str(folder)}
    is_isolated = bool(model.get("EnableNetworkIsolation"))
    if is_isolated and not host.containers:
        on_line(_NOT_ISOLATED)
    variables = contained if host.containers else mapped
    python, serve = str(built / "bin" / "python"), recipe.serve or _SERVE
    spec = InstanceSpec(python, folder, variables, on_line, seconds, host.containers, is_isolated, serve)
    return HostedModel(spec, role)


def _built(images: Images, image: str, on_line: Callable[[str], None]) -> tuple[Recipe, Path]:
    """The recipe of a container's image, and its environment, which is made if it is not there."""
    try:
        found = images.find(image)
        return found.recipe, images.build(found, image, on_line)
    except Mistake as error:
        raise InstanceError(f"The primary container does not start: {error}") from None


def _container(world: World, model: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container of a model; the members of its package come first, and the model's own override them."""
    own: Mapping[str, Any] = model.get("PrimaryContainer") or model["Containers"][0]
    if "ModelPackageName" not in own:
        return own
    package = registry.PACKAGE.get(world, registry.name_of(world, own["ModelPackageName"]))
    packed = package["InferenceSpecification"]["Containers"][0]
    return {**packed, **own, "Environment": {**packed.get("Environment", {}), **own.get("Environment", {})}}


def _archive(container: Mapping[str, Any]) -> tuple[str, bool]:
    """The address of a container's model, and whether that is an archive or a prefix."""
    source = (container.get("ModelDataSource") or {}).get("S3DataSource", {})
    if not source:
        return container.get("ModelDataUrl", ""), True
    return source["S3Uri"], source.get("CompressionType") == "Gzip"


def _download(objects: ObjectCatalog, container: Mapping[str, Any], folder: Path, role: str) -> None:
    """Download a model into a folder with the source that its variables name, unless that is there as a whole."""
    if folder.exists():
        return
    address, is_archive = _archive(container)
    beside = folder.with_name(f"{folder.name}.arriving")
    code = container.get("Environment", {}).get(_SUBMIT, "")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    if address and not _fetch(objects, address, beside, role, is_archive=is_archive):
        raise InstanceError(f"Could not find model data at {address}.")
    if code.startswith("s3://"):
        _fetch(objects, code, beside / "code", role, is_archive=True)
    beside.replace(folder)


def _fetch(objects: ObjectCatalog, address: str, folder: Path, role: str, *, is_archive: bool) -> int:
    """Download an archive's or a prefix's files into a folder, and return how many; InstanceError says why not."""
    try:
        return _unpack(objects, address, folder) if is_archive else download(objects, S3Location.parse(address), folder)
    except ArchiveError as error:
        raise InstanceError(f"The model data at {address} cannot be unpacked: {error}") from None
    except (KeyError, ValueError):
        raise InstanceError(f"Could not find model data at {address}.") from None
    except ServiceError as error:
        ensure = f'Please ensure that the role "{role}" exists and has "s3:GetObject" permissions'
        raise InstanceError(f"Could not access model data at {address}. {ensure}. {error}") from None
    except OSError as error:
        raise InstanceError(f"The model data at {address} cannot be unpacked: {error.strerror}") from None


def _unpack(objects: ObjectCatalog, address: str, folder: Path) -> int:
    """Unpack an archive; weights hardly compress, so one that expands much more was made to fill a disk."""
    packed = folder.with_name(f"{folder.name}.packed")
    packed.unlink(missing_ok=True)
    objects.link(S3Location.parse(address), packed)
    try:
        limits = ArchiveLimits(_ALLOWANCE + _LARGEST_EXPANSION * packed.stat().st_size, entries=10_000)
        with packed.open("rb") as file:
            return unpack_tar(file, folder, limits)
    finally:
        packed.unlink()
