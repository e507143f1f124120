"""The containers of a model: its own, or those of the model packages that they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.resources import registry, unsupported

PRIMARY = "primary"
"""What the only container of a model is called."""
_HOSTNAME, _MULTI = "ContainerHostname", "MultiModel"
_OWN = ("Image", "ModelDataUrl", "ModelDataSource")
_ONE_OF = "Specify one of either Image and Model Data URL or ModelPackageName in container definition."


def is_direct(model: Mapping[str, Any]) -> bool:
    """Whether each container is invoked by its name; else requests go through all of them."""
    return (model.get("InferenceExecutionConfig") or {}).get("Mode") == "Direct"


def is_multi_model(model: Mapping[str, Any]) -> bool:
    """Whether requests name the model that they are for, under the prefix of its container."""
    return any(container.get("Mode") == _MULTI for container in _own(model))


def model_containers(world: World, model: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The containers of a model by their host names, in their order."""
    found = [each for own in _own(model) for each in _unpacked(world, own)]
    if len(found) == 1:
        return {PRIMARY: found[0]}
    return {each.get(_HOSTNAME) or f"container-{number}": each for number, each in enumerate(found, start=1)}


def check(world: World, model: Mapping[str, Any]) -> None:
    """Refuse the request for a model whose containers are not as AWS wants them."""
    own = _own(model)
    if not own or ("PrimaryContainer" in model and model.get("Containers")):
        raise InvalidRequestError("You must specify either PrimaryContainer or Containers, and not both.")
    for container in own:
        is_packaged = "ModelPackageName" in container
        if is_packaged == any(member in container for member in _OWN):
            raise InvalidRequestError(_ONE_OF)
        if is_packaged:
            package = registry.PACKAGE.get(world, registry.name_of(world, container["ModelPackageName"]))
            unsupported.refuse("CreateModel", package.get("InferenceSpecification"))
        elif "Image" not in container:
            raise InvalidRequestError(_ONE_OF)
    _check_multi_model(own)
    _check_hostnames([each.get(_HOSTNAME, "") for container in own for each in _unpacked(world, container)], model)


def _check_multi_model(containers: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a container for many models beside others, or without a prefix for them."""
    many = [container for container in containers if container.get("Mode") == _MULTI]
    if many and len(containers) > 1:
        raise InvalidRequestError("The local AWS does not carry out MultiModel beside other containers.")
    if many and not model_data(many[0])[0].startswith("s3://"):
        raise InvalidRequestError("A container with the mode MultiModel needs the prefix of its models in S3.")


def _check_hostnames(names: Sequence[str], model: Mapping[str, Any]) -> None:
    if is_direct(model) and (len(names) == 1 or "" in names):
        raise InvalidRequestError("Direct invocation needs more than one container, each with a ContainerHostname.")
    if any(names) and "" in names:
        raise InvalidRequestError("If one container has a ContainerHostname, each must have one.")
    if len(set(filter(None, names))) < len(list(filter(None, names))):
        raise InvalidRequestError("The ContainerHostnames of a model must be unique.")


def _own(model: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [model["PrimaryContainer"]] if model.get("PrimaryContainer") else list(model.get("Containers") or [])


def _unpacked(world: World, own: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A container, or those of its model package; its own members come before the package's."""
    if "ModelPackageName" not in own:
        yield own
        return
    package = registry.PACKAGE.get(world, registry.name_of(world, own["ModelPackageName"]))
    for packed in package["InferenceSpecification"]["Containers"]:
        yield {**packed, **own, "Environment": {**packed.get("Environment", {}), **own.get("Environment", {})}}


def model_data(container: Mapping[str, Any]) -> tuple[str, bool]:
    """The address of a container's model, if it has one, and whether that is an archive or a prefix."""
    source = (container.get("ModelDataSource") or {}).get("S3DataSource", {})
    if not source:
        return container.get("ModelDataUrl", ""), True
    return source["S3Uri"], source.get("CompressionType") == "Gzip"
