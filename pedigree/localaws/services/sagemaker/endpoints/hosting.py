"""From a configuration to what its instances run: models fetched, unpacked once, and told what they need."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.interfaces import LogWriter
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location, download
from pedigree.localaws.services.sagemaker.endpoints.generation import Variant
from pedigree.localaws.services.sagemaker.endpoints.instances import ANSWER_SECONDS, InstanceError, InstanceSpec
from pedigree.localaws.services.sagemaker.resources import models, registry
from pedigree.localaws.services.sagemaker.resources.role_access import RoleAccess


@dataclass(frozen=True)
class HostEnvironment:
    """What all model servers have in common: a Python, environment variables, logs, and the roles that models take."""

    python: str
    environment: Mapping[str, str]
    logs: LogWriter
    roles: RoleAccess


@dataclass(frozen=True)
class Served:
    """A model ready to be served: what its instances run, and in whose name."""

    spec: InstanceSpec
    role: str


def variants(
    world: World, host: HostEnvironment, endpoint: str, configuration: str, folder: Path
) -> tuple[Variant, ...]:
    """The variants of a configuration, ready to start; InstanceError if a model cannot be had."""
    described = models.ENDPOINT_CONFIG.get(world, configuration)
    return tuple(_variant(world, host, endpoint, configuration, folder, one) for one in described["ProductionVariants"])


def _variant(
    world: World, host: HostEnvironment, endpoint: str, configuration: str, folder: Path, one: Mapping[str, Any]
) -> Variant:
    name = one["VariantName"]
    log = f"/aws/sagemaker/Endpoints/{endpoint}", f"{name}/{configuration}"
    made = served(world, host, one["ModelName"], folder / name, log)
    weight, serverless = one.get("InitialVariantWeight", 1.0), one.get("ServerlessConfig") or {}
    return Variant(name, made.spec, instances(one), weight, made.role, serverless)


def instances(variant: Mapping[str, Any]) -> int:
    """How many model servers a configured variant begins with; one without a server has those that it keeps warm."""
    serverless = variant.get("ServerlessConfig") or {}
    count: int = variant.get("InitialInstanceCount") or serverless.get("ProvisionedConcurrency") or 1
    return count


def served(
    world: World,
    host: HostEnvironment,
    name: str,
    folder: Path,
    log: tuple[str, str],
    more: Mapping[str, str] | None = None,
    seconds: float = ANSWER_SECONDS,
) -> Served:
    """A model, its archive unpacked into a folder; more: what its environment has besides."""
    model = models.MODEL.get(world, name)
    container = _container(world, model)
    role, source = model.get("ExecutionRoleArn", ""), world.arn("sagemaker", "*")
    _lay_out(host.roles.objects(role, source), container, folder, role)
    environment = {
        **host.environment,
        **host.roles.environment(role, source),
        **container.get("Environment", {}),
        **(more or {}),
        "SM_MODEL_DIR": str(folder),
    }
    group, stream = log

    def hear(line: str) -> None:
        host.logs.write(group, stream, line)

    return Served(InstanceSpec(host.python, folder, environment, hear, seconds), role)


def _container(world: World, model: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container of a model; one from a package has what the package says, and the model's own on top."""
    own: Mapping[str, Any] = model.get("PrimaryContainer") or model["Containers"][0]
    if "ModelPackageName" not in own:
        return own
    package = registry.PACKAGE.get(world, registry.name_of(world, own["ModelPackageName"]))
    packed = package["InferenceSpecification"]["Containers"][0]
    return {**packed, **own, "Environment": {**packed.get("Environment", {}), **own.get("Environment", {})}}


def _archive(container: Mapping[str, Any]) -> tuple[str, bool]:
    """Where a container's model lies, and whether that is an archive or a prefix of objects."""
    source = (container.get("ModelDataSource") or {}).get("S3DataSource", {})
    if not source:
        return container.get("ModelDataUrl", ""), True
    return source["S3Uri"], source.get("CompressionType") == "Gzip"


def _lay_out(objects: ObjectCatalog, container: Mapping[str, Any], folder: Path, role: str) -> None:
    """Put a model into a folder; one that is there whole already is left."""
    if folder.exists():
        return
    address, is_archive = _archive(container)
    beside = folder.with_name(f"{folder.name}.arriving")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        found = (
            _unpack(objects.read(address), beside)
            if is_archive
            else download(objects, S3Location.parse(address), beside)
        )
    except (KeyError, ValueError):
        raise InstanceError(f"Could not find model data at {address}.") from None
    except ServiceError as error:
        ensure = f'Please ensure that the role "{role}" exists and has "s3:GetObject" permissions'
        raise InstanceError(f"Could not access model data at {address}. {ensure}. {error}") from None
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InstanceError(f"The model data at {address} is no archive: {error}") from None
    if not found:
        raise InstanceError(f"Could not find model data at {address}.")
    beside.replace(folder)


def _unpack(content: bytes, folder: Path) -> int:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
        return len(archive.getmembers())
