"""The accounts and versions of AWS's images are those of the tables that the SageMaker SDK ships."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from pedigree.aws.ecr import ImageAddress
from pedigree.aws.registries import REGISTRIES, VERSIONS, nearest_versions

TABLES = Path(str(distribution("sagemaker-core").locate_file("sagemaker/core/image_uri_config")))
FILES = {"sagemaker-scikit-learn": "sklearn", "sagemaker-xgboost": "xgboost"}


def entries(table: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every description of a repository in a table of the SDK, which nests them differently from image to image."""
    if "repository" in table:
        yield table
    for value in table.values():
        if isinstance(value, dict):
            yield from entries(value)


def accounts(repository: str) -> Iterator[tuple[str, str]]:
    name = FILES.get(repository, repository.rpartition("-")[0].removesuffix("-pytorch"))
    for entry in entries(json.loads((TABLES / f"{name}.json").read_text())):
        if entry["repository"] == repository:
            yield from entry["registries"].items()


@pytest.mark.parametrize("repository", REGISTRIES)
def test_each_account_is_the_one_that_the_sdk_takes(repository: str) -> None:
    known = dict(accounts(repository))
    assert known
    assert {region: known.get(region, account) for region, account in REGISTRIES[repository].items()} == REGISTRIES[
        repository
    ]
    assert len(REGISTRIES[repository].keys() & known) >= 30


@pytest.mark.parametrize("repository", VERSIONS)
def test_the_versions_are_those_of_the_sdk(repository: str) -> None:
    table = json.loads((TABLES / f"{FILES[repository]}.json").read_text())
    versions = (table.get("training") or table)["versions"]
    assert set(VERSIONS[repository]) == {version for version in versions if "." in version and "-py" not in version}


@pytest.mark.parametrize("tag", ["1.2-1", "1.2-1-cpu-py3", "latest", "9.0-1", "", "sha256:0123"])
def test_a_version_that_may_be_there_is_not_doubted(tag: str) -> None:
    assert nearest_versions(ImageAddress("us-east-1", "sagemaker-scikit-learn", tag)) == ()


@pytest.mark.parametrize("tag", ["1.3-1", "0.24-1-cpu-py3"])
def test_one_that_never_was_has_others_to_choose_from(tag: str) -> None:
    assert nearest_versions(ImageAddress("us-east-1", "sagemaker-scikit-learn", tag)) == ("1.2-1", "1.4-2", "1.9-0")
