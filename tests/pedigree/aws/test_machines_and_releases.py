"""The facts about machines and images agree with the SDK's own tables and with AWS's model of SageMaker.

The checks and the builder of the pipeline read the same facts, so they cannot catch each other's mistakes: these tests
compare every fact with a source outside of this project.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pedigree.aws.ecr import parse_address
from pedigree.aws.machines import (
    SMDDP_TYPES,
    has_bfloat16,
    has_local_storage,
    instance_types,
    is_burstable,
    last_cuda,
    processor,
)
from pedigree.aws.pytorch import LAST_WITH_SMDDP, PYTHONS, has_smddp, release
from steps import dag

USES = ("Training", "Processing", "ProductionVariant")
GONE = {"ml.p3.16xlarge", "ml.p3dn.24xlarge", "local_gpu"}
"""In the SDK's table for smddp, but AWS took it away, or it is not a machine of AWS."""

# As AWS describes the families of instances that SageMaker has. A family that is new in
# botocore is in none of these, and fails the test until its release is looked up.
CPU = "c4 c5 c5n c6i c6in c7i c7i-flex c8i c8i-flex m4 m5 m6i m7i m7i-flex m8i m8i-flex r5 r6i r7i r8i r8i-flex t2 t3"
CPU_WITH_DISKS = "c5d m5d r5d"
ARM = "c6g c6gn c7g c8g m6g m8g r6g r8g"
ARM_WITH_DISKS = "c6gd m6gd r6gd r7gd p6e-gb200"
GPU = "p2 p3"
GPU_WITH_DISKS = "g4dn g5 g6 g6e g7 g7e p3dn p4d p4de p5 p5e p5en p6-b200 p6-b300"
ACCELERATOR = "dl1 inf1"
ACCELERATOR_WITH_DISKS = "inf2 trn1 trn1n trn2"
FAMILIES: Mapping[tuple[str, bool], str] = {
    ("cpu", False): CPU,
    ("cpu", True): CPU_WITH_DISKS,
    ("arm64", False): ARM,
    ("arm64", True): ARM_WITH_DISKS,
    ("gpu", False): GPU,
    ("gpu", True): GPU_WITH_DISKS,
    ("accelerator", False): ACCELERATOR,
    ("accelerator", True): ACCELERATOR_WITH_DISKS,
}


@cache
def tables() -> Path:
    assert dag.Pipeline  # the SDK is imported with no account in sight
    return Path(str(import_module("sagemaker.core").__path__[0])) / "image_uri_config"


def table(name: str) -> Any:
    return json.loads((tables() / f"{name}.json").read_text())


def machines() -> set[str]:
    return {name for use in USES for name in instance_types(use)}


def family(machine: str) -> str:
    return machine.split(".")[1]


def test_every_family_in_the_api_model_has_a_known_processor_and_known_disks() -> None:
    expected = {name: key for key, names in FAMILIES.items() for name in names.split()}
    assert {family(name): (processor(name), has_local_storage(name)) for name in machines()} == expected


def test_old_gpus_and_burstable_machines_are_known() -> None:
    assert {family(name) for name in machines() if not has_bfloat16(name)} == {"g4dn", "p2", "p3", "p3dn"}
    assert {family(name): last_cuda(name) for name in machines() if last_cuda(name)} == {"p2": 11, "p3": 12, "p3dn": 12}
    assert {family(name) for name in machines() if is_burstable(name)} == {"t2", "t3"}


def test_machines_with_gpus_are_those_of_the_sdk() -> None:
    with_gpu = {name for region in table("instance_gpu_info").values() for name in region}
    assert {name for name in with_gpu if processor(name) not in ("gpu", "accelerator")} == set()


def test_smddp_runs_on_the_machines_and_images_of_the_sdk() -> None:
    utils = import_module("sagemaker.core.fw_utils")
    assert set(SMDDP_TYPES) <= machines()
    assert set(utils.SM_DATAPARALLEL_SUPPORTED_INSTANCE_TYPES) - GONE <= set(SMDDP_TYPES)
    versions = utils.SM_DATAPARALLEL_SUPPORTED_FRAMEWORK_VERSIONS["pytorch"]
    assert max(map(release, versions)) <= release(LAST_WITH_SMDDP)
    assert not has_smddp((2, 6))


def test_each_release_has_the_python_of_the_sdk() -> None:
    for version, image in table("pytorch")["training"]["versions"].items():
        if release(version) >= min(PYTHONS):
            assert [PYTHONS.get(release(version))] == image["py_versions"], version


@pytest.mark.parametrize("machine", ["ml.m5.large", "ml.g5.xlarge"])
def test_the_parts_of_an_address_of_the_sdk_are_read(machine: str) -> None:
    retrieve = import_module("sagemaker.core.image_uris").retrieve
    for version in table("pytorch")["training"]["version_aliases"]:
        if release(version) >= min(PYTHONS):
            address = parse_address(
                retrieve("pytorch", "us-east-1", version=version, instance_type=machine, image_scope="training")
            )
            assert address is not None
            assert address.is_pytorch
            assert address.release == release(version)
            assert address.processor == processor(machine)
            assert address.python == PYTHONS[release(version)]
            assert address.region == "us-east-1"
