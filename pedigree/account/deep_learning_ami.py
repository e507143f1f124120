"""Finds AWS's deep-learning AMI for PyTorch by its public parameter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pedigree.account.account import Account
from pedigree.account.errors import CallRefusedError, InvalidInputError
from pedigree.aws.machines import processor
from pedigree.errors import Mistake

PYTHON = "/opt/pytorch/bin/python"
_PARAMETER = "/aws/service/deeplearning/ami/{}/oss-nvidia-driver-gpu-pytorch-{}-{}/latest/ami-id"
_SYSTEMS = ("amazon-linux-2023", "ubuntu-24.04", "ubuntu-22.04")
_OLDER = 6  # versions of PyTorch below the wanted one that will do, too


@dataclass(frozen=True)
class DeepLearningAmi:
    """An image, where it was found, and the volume that it needs."""

    id: str
    origin: str
    root_device: str
    gigabytes: int


def find(account: Account, instance_type: str, version: str, given: str = "") -> DeepLearningAmi:
    """The image of a PyTorch, or of one a little older, for a type of machine; or the one that is given."""
    kind = processor(f"ml.{instance_type}")
    if kind == "accelerator":
        raise InvalidInputError(
            [Mistake(f"{instance_type} has a chip for which PyTorch's images are not made", "choose another machine")]
        )
    architecture = "arm64" if kind == "arm64" else "x86_64"
    if given:
        return _described(account, given, "given")
    for name in _names(architecture, version):
        parameter = account.find("ssm", "get_parameter", Name=name)
        if parameter:
            return _described(account, parameter["Parameter"]["Value"], name)
    raise CallRefusedError(
        f"{account.region} has no deep-learning AMI with PyTorch {version}, or a little older, for {architecture}",
        "name an image with --ami",
    )


def _names(architecture: str, version: str) -> Iterator[str]:
    """The parameters to look at, the best first."""
    major, minor = (int(part) for part in version.split(".")[:2])
    for older in range(min(_OLDER, minor) + 1):
        for system in _SYSTEMS:
            yield _PARAMETER.format(architecture, f"{major}.{minor - older}", system)


def _described(account: Account, identifier: str, origin: str) -> DeepLearningAmi:
    images = account.call("ec2", "describe_images", ImageIds=[identifier])["Images"]
    if not images:
        raise InvalidInputError(
            [Mistake(f"there is no image {identifier} in {account.region}", "leave --ami out to have one found")]
        )
    root = images[0]["RootDeviceName"]
    volumes = {mapping["DeviceName"]: mapping.get("Ebs", {}) for mapping in images[0]["BlockDeviceMappings"]}
    return DeepLearningAmi(identifier, origin, root, volumes.get(root, {}).get("VolumeSize", 0))
