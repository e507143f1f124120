"""From a configuration to what its instances run: models fetched, unpacked once, and told what they need."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localaws.endpoints.generation import Variant
from localaws.endpoints.instances import InstanceError, Recipe
from localaws.protocol.errors import ServiceError
from localaws.sagemaker import models, registry
from localaws.world import Logs, Objects, World


@dataclass(frozen=True)
class Kitchen:
    """What all instances have in common: a Python, an environment, and what a role brings: credentials and objects."""

    python: str
    environment: Mapping[str, str]
    logs: Logs
    role_environment: Callable[[str, str], Mapping[str, str]]
    role_objects: Callable[[str, str], Objects]


def variants(world: World, kitchen: Kitchen, endpoint: str, configuration: str) -> tuple[Variant, ...]:
    """The variants of a configuration, ready to start; InstanceError if a model cannot be had."""
    described = models.CONFIGURATION.get(world, configuration)
    return tuple(_variant(world, kitchen, endpoint, configuration, one) for one in described["ProductionVariants"])


def _variant(world: World, kitchen: Kitchen, endpoint: str, configuration: str, one: Mapping[str, Any]) -> Variant:
    model = models.MODEL.get(world, one["ModelName"])
    container = _container(world, model)
    folder = world.folder / "endpoints" / endpoint / configuration / one["VariantName"]
    role, source = model.get("ExecutionRoleArn", ""), world.arn("sagemaker", "*")
    _unpack(kitchen.role_objects(role, source), container.get("ModelDataUrl", ""), folder, role)
    group, stream = f"/aws/sagemaker/Endpoints/{endpoint}", f"{one['VariantName']}/{configuration}"
    environment = {
        **kitchen.environment,
        **kitchen.role_environment(role, source),
        **container.get("Environment", {}),
        "SM_MODEL_DIR": str(folder),
    }

    def hear(line: str) -> None:
        kitchen.logs.write(group, stream, line)

    recipe = Recipe(kitchen.python, folder, environment, hear)
    return Variant(one["VariantName"], recipe, one.get("InitialInstanceCount", 1), one.get("InitialVariantWeight", 1.0))


def _container(world: World, model: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container of a model; one from a package has what the package says, and the model's own on top."""
    own: Mapping[str, Any] = model.get("PrimaryContainer") or model["Containers"][0]
    if "ModelPackageName" not in own:
        return own
    package = registry.PACKAGE.get(world, registry.name_of(world, own["ModelPackageName"]))
    packed = package["InferenceSpecification"]["Containers"][0]
    return {**packed, **own, "Environment": {**packed.get("Environment", {}), **own.get("Environment", {})}}


def _unpack(objects: Objects, address: str, folder: Path, role: str) -> None:
    """Put a model's archive into a folder; one that is there whole already is left."""
    if folder.exists():
        return
    try:
        content = objects.read(address)
    except (KeyError, ValueError):
        raise InstanceError(f"Could not find model data at {address}.") from None
    except ServiceError as error:
        ensure = f'Please ensure that the role "{role}" exists and has "s3:GetObject" permissions'
        raise InstanceError(f"Could not access model data at {address}. {ensure}. {error}") from None
    beside = folder.with_name(f"{folder.name}.arriving")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            archive.extractall(beside, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise InstanceError(f"The model data at {address} is no archive: {error}") from None
    beside.replace(folder)
