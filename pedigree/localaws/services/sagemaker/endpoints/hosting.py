"""Prepares what the instances of a configuration run: models are downloaded and unpacked, once."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from pedigree.archives import ArchiveError, ArchiveLimits, unpack_tar
from pedigree.errors import Mistake
from pedigree.localaws.containers.runtime import ENVIRONMENT, ContainerRuntime
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.images.errors import ImageError
from pedigree.localaws.images.recipe import Recipe
from pedigree.localaws.kernel.interfaces import LogWriter
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location, download
from pedigree.localaws.services.sagemaker.endpoints.generation import Variant
from pedigree.localaws.services.sagemaker.endpoints.instances import InstanceSpec
from pedigree.localaws.services.sagemaker.endpoints.multi_model import ModelLoader
from pedigree.localaws.services.sagemaker.endpoints.server_process import (
    ANSWER_SECONDS,
    MODEL,
    InstanceError,
    OnLine,
    ServerSpec,
)
from pedigree.localaws.services.sagemaker.resources import models
from pedigree.localaws.services.sagemaker.resources.image_digests import resolved_image
from pedigree.localaws.services.sagemaker.resources.images import Images, in_environment
from pedigree.localaws.services.sagemaker.resources.model_containers import (
    PRIMARY,
    is_direct,
    is_multi_model,
    model_containers,
    model_data,
)
from pedigree.localaws.services.sagemaker.resources.role_access import RoleAccess, role_environment

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
    world: World,
    host: HostEnvironment,
    endpoint: str,
    configuration: Mapping[str, Any],
    folder: Path,
    member: str = "ProductionVariants",
) -> tuple[Variant, ...]:
    """The variants of a configuration, ready to start; InstanceError if a model cannot be prepared."""
    name = configuration["EndpointConfigName"]
    return tuple(
        _variant(world, host, endpoint, name, folder, document) for document in configuration.get(member) or ()
    )


def check_roles(world: World, host: HostEnvironment, configuration: str) -> None:
    """Let the role of each model of a configuration be assumed, or raise InvalidRequestError."""
    described = models.ENDPOINT_CONFIG.get(world, configuration)
    for variant in (*described["ProductionVariants"], *described.get(models.SHADOWS, ())):
        model = models.MODEL.get(world, variant["ModelName"])
        role_environment(host.roles, model.get("ExecutionRoleArn", ""), world.arn("sagemaker", "*"))


def _variant(
    world: World, host: HostEnvironment, endpoint: str, configuration: str, folder: Path, document: Mapping[str, Any]
) -> Variant:
    name = document["VariantName"]
    log = f"/aws/sagemaker/Endpoints/{endpoint}", f"{name}/{configuration}"
    made = host_model(world, host, document["ModelName"], folder / name, log)
    weight, serverless = document.get("InitialVariantWeight", 1.0), document.get("ServerlessConfig") or {}
    images = _deployed_images(world, document["ModelName"])
    return Variant(name, made.spec, instances(document), weight, made.role, serverless, images)


def _deployed_images(world: World, model: str) -> tuple[Mapping[str, str], ...]:
    """The images of a model, as DescribeEndpoint has them."""
    containers = model_containers(world, models.MODEL.get(world, model)).values()
    images = [container["Image"] for container in containers if container.get("Image")]
    return tuple(
        {"SpecifiedImage": image, "ResolvedImage": resolved_image(image), "ResolutionTime": world.now()}
        for image in images
    )


def clean(folder: Path, but: str) -> None:
    """Remove the models of all generations of an endpoint but one."""
    for path in folder.iterdir() if folder.exists() else ():
        if path.name != but:
            shutil.rmtree(path, ignore_errors=True)


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
    """Prepare a model in a folder; more has further environment variables.

    Of several containers each has its own folder, and its own log, by its name.
    """
    model = models.MODEL.get(world, name)
    group, stream = log
    hosting = _Hosting(world, host, model, more or {}, seconds)
    containers = model_containers(world, model)
    if is_multi_model(model):
        on_line = partial(host.logs.write, group, stream)
        ((_, container),) = containers.items()
        return HostedModel(InstanceSpec((), loader=hosting.loader(container, folder, on_line)), hosting.role)
    servers = []
    for hostname, container in containers.items():
        own = f"/{hostname}" if len(containers) > 1 else ""
        on_line = partial(host.logs.write, group, f"{stream}{own}")
        servers.append(hosting.server(hostname, container, Path(f"{folder}{own}"), on_line))
    return HostedModel(InstanceSpec(tuple(servers), is_direct(model)), hosting.role)


@dataclass(frozen=True)
class _Hosting:
    """Prepares the containers of a model."""

    world: World
    host: HostEnvironment
    model: Mapping[str, Any]
    more: Mapping[str, str]
    seconds: float

    @property
    def role(self) -> str:
        return str(self.model.get("ExecutionRoleArn", ""))

    def loader(self, container: Mapping[str, Any], folder: Path, on_line: OnLine) -> ModelLoader:
        """What loads the models of a container for many; its environment is there when this returns."""
        _built(self.host.images, container.get("Image", ""), PRIMARY, on_line)
        is_kept = (container.get("MultiModelConfig") or {}).get("ModelCacheSetting") != "Disabled"
        common = {name: value for name, value in container.items() if name != "ModelDataSource"}
        variables = {**container.get("Environment", {}), "SAGEMAKER_MULTI_MODEL": "true"}

        def prepare(address: str, own: Path) -> ServerSpec:
            return self.server(PRIMARY, {**common, "ModelDataUrl": address, "Environment": variables}, own, on_line)

        loader = ModelLoader(model_data(container)[0], folder, prepare)
        return loader if is_kept else replace(loader, most_loaded=0)

    def server(self, hostname: str, container: Mapping[str, Any], folder: Path, on_line: OnLine) -> ServerSpec:
        """What the model server of a container runs, with its model in a folder."""
        host, image = self.host, container.get("Image", "")
        source = self.world.arn("sagemaker", "*")
        recipe, built = _built(host.images, image, hostname, on_line)
        _download(host.roles.objects(self.role, source), container, folder, self.role)
        is_isolated = bool(self.model.get("EnableNetworkIsolation"))
        if is_isolated and not host.containers:
            on_line(_NOT_ISOLATED)
        variables = {
            **in_environment(host.environment, built, host.images.variables(image)),
            **role_environment(host.roles, self.role, source),
            **container.get("Environment", {}),
            **self.more,
        }
        own = {**ENVIRONMENT, **variables, "SM_MODEL_DIR": MODEL}
        return ServerSpec(
            str(built / "bin" / "python"),
            folder,
            own if host.containers else {**variables, "SM_MODEL_DIR": str(folder)},
            on_line,
            self.seconds,
            host.containers,
            is_isolated,
            recipe.serve or _SERVE,
            hostname,
        )


def _built(images: Images, image: str, hostname: str, on_line: OnLine) -> tuple[Recipe, Path]:
    """The recipe of a container's image, and its environment, which is made if it is not there."""
    try:
        found = images.find(image)
        _refuse_own_server(found.recipe, image)
        return found.recipe, images.build(found, image, on_line)
    except Mistake as error:
        raise InstanceError(f"The {hostname} container does not start: {error}") from None


def _refuse_own_server(recipe: Recipe, image: str) -> None:
    """Raise ImageError for an image whose server is inside of it: here the functions of a model's code are called."""
    if (recipe.dockerfile or recipe.engine) and not recipe.serve:
        cause = f"the server of the image {image} is its own program, which does not run here"
        remedy = f'add serve = "sklearn_serving", or one of another recipe, to the recipe {recipe.name}'
        raise ImageError(cause, f"{remedy}: then code/inference.py of the model serves")


def _download(objects: ObjectCatalog, container: Mapping[str, Any], folder: Path, role: str) -> None:
    """Download a model into a folder with the source that its variables name, unless that is there as a whole."""
    if folder.exists():
        return
    address, is_archive = model_data(container)
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
