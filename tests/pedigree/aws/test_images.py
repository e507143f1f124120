"""The lookup in the SDK's image tables gives the addresses that the SDK itself gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

import pytest

from pedigree.aws.images import INFERENCE, TRAINING, PyTorchImage, debugger_rules
from steps import dag
from steps.build import FAMILIES, ImageConfig, ImagesConfig, image_for

MACHINES = {"cpu": "ml.m5.large", "gpu": "ml.g5.xlarge"}
# Versions with one Python each; earlier versions had several, and the SDK must be given one.
VERSIONS = {
    TRAINING: ["2.0.1", "2.1.0", "2.5.1", "2.5", "2.6.0", "2.9.0", "2.10.0", "2.11", "2.13", "2.14"],
    INFERENCE: ["2.0.1", "2.4.0", "2.5.1", "2.6.0", "2.6"],
}
REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-3", "cn-north-1", "us-gov-west-1", "il-central-1"]


def retrieve() -> Callable[..., str]:
    """The SDK's own resolver, imported with no account in sight."""
    assert dag.Pipeline
    function: Callable[..., str] = import_module("sagemaker.core.image_uris").retrieve
    return function


def of_the_sdk(version: str, scope: str, processor: str, region: str) -> str:
    minor = int(version.split(".")[1])
    framework = "pytorch-amzn2023" if scope == TRAINING and minor > 10 else "pytorch"
    return str(retrieve()(framework, region, version=version, instance_type=MACHINES[processor], image_scope=scope))


def cases() -> Iterator[tuple[str, str, str, str]]:
    for scope, versions in VERSIONS.items():
        yield from ((version, scope, processor, "us-west-2") for version in versions for processor in MACHINES)
    for image in (ImagesConfig().pytorch(family) for family in FAMILIES):
        yield from ((image.version, image.scope, "gpu", region) for region in REGIONS)


@pytest.mark.parametrize(("version", "scope", "processor", "region"), list(cases()))
def test_an_address_is_the_one_that_the_sdk_gives(version: str, scope: str, processor: str, region: str) -> None:
    assert PyTorchImage(scope, version).uri(processor, region) == of_the_sdk(version, scope, processor, region)


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1"])
def test_the_debuggers_image_is_the_one_that_the_sdk_gives(region: str) -> None:
    assert debugger_rules(region) == retrieve()("debugger", region)


def test_the_address_of_an_image_of_your_own_is_used_unchanged() -> None:
    uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
    images = ImagesConfig(training=ImageConfig(version="2.13", image_uri=uri))
    assert image_for(images, "training", "ml.m5.large", "us-east-1") == uri
