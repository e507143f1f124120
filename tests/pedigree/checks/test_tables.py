"""What checks know of images and machines is what the SDK's own tables and AWS's model say, as far as those go."""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pedigree.aws import machines as instances
from pedigree.checks.jobs import image, processor
from pedigree.checks.rules.distribution import LAST_WITH_SMDDP, SMDDP_MACHINES
from pedigree.checks.rules.images import PYTHONS
from pedigree.checks.rules.machines import has_local_storage
from pedigree.language.model import input_shape
from steps import dag

ELSEWHERE = {"ml.p3.16xlarge", "ml.p3dn.24xlarge", "local_gpu"}
"""In the SDK's table of smddp, and frozen or taken away by AWS, or none of its machines."""


@cache
def tables() -> Path:
    assert dag.Pipeline  # the SDK is imported with no account in sight
    return Path(str(import_module("sagemaker.core").__path__[0])) / "image_uri_config"


def table(name: str) -> Any:
    return json.loads((tables() / f"{name}.json").read_text())


def machines() -> set[str]:
    """Every machine on which jobs run."""
    training = input_shape("CreateTrainingJob").members["ResourceConfig"].members["InstanceType"].enum
    processing = input_shape("CreateProcessingJob").members["ProcessingResources"].members["ClusterConfig"]
    return {*training, *processing.members["InstanceType"].enum}


def test_each_release_has_the_python_of_the_sdk() -> None:
    for version, body in table("pytorch")["training"]["versions"].items():
        major, minor = (int(part) for part in version.split(".")[:2])
        if (major, minor) >= min(PYTHONS):
            assert [PYTHONS.get((major, minor))] == body["py_versions"], version


@pytest.mark.parametrize("machine", ["ml.m5.large", "ml.g5.xlarge"])
def test_an_address_of_the_sdk_is_read_for_what_it_is(machine: str) -> None:
    retrieve = import_module("sagemaker.core.image_uris").retrieve
    for version in table("pytorch")["training"]["version_aliases"]:
        if tuple(map(int, version.split("."))) >= min(PYTHONS):
            found = image(
                retrieve("pytorch", "us-east-1", version=version, instance_type=machine, image_scope="training")
            )
            assert found is not None
            assert found.is_pytorch
            assert found.release == tuple(map(int, version.split(".")))
            assert found.processor == processor(machine)


def test_machines_with_gpus_are_those_of_the_sdk() -> None:
    known = {name for region in table("instance_gpu_info").values() for name in region}
    assert {name for name in known & machines() if processor(name) == "cpu"} == set()
    assert {name for name in known if processor(name) not in ("gpu", "accelerator")} == set()


def test_machines_of_the_model_are_of_a_known_kind() -> None:
    kinds = {name: processor(name) for name in machines()}
    assert {"cpu", "gpu", "accelerator"} <= set(kinds.values())
    for name, kind in kinds.items():
        assert (kind == "gpu") is (name[3] in "gp" and not name.startswith("ml.p6e")), name


def test_disks_of_machines_are_those_that_the_pipeline_knows() -> None:
    assert {name for name in machines() if has_local_storage(name) is not instances.has_local_storage(name)} == set()


def test_smddp_runs_where_the_sdk_says() -> None:
    utils = import_module("sagemaker.core.fw_utils")
    assert set(SMDDP_MACHINES) <= machines()
    assert set(utils.SM_DATAPARALLEL_SUPPORTED_INSTANCE_TYPES) - ELSEWHERE <= set(SMDDP_MACHINES)
    versions = utils.SM_DATAPARALLEL_SUPPORTED_FRAMEWORK_VERSIONS["pytorch"]
    newest = max(tuple(int(part) for part in one.split(".")[:2]) for one in versions)
    assert newest <= LAST_WITH_SMDDP
