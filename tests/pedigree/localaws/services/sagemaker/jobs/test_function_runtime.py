"""A job that runs a function gets the SDK of its client, unless it has one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pedigree.localaws.services.sagemaker.jobs.function_runtime import runtime_requirement

COMMAND = ("/bin/bash", "/opt/ml/input/data/sagemaker_remote_function_bootstrap/job_driver.sh")
VERSION = "--client_sagemaker_pysdk_version"


@pytest.mark.parametrize(
    ("version", "line"),
    [
        ("2.200.1", "sagemaker==2.200.1\n"),
        ("3.27.0", "sagemaker-core==2.27.*\n"),
        ("3.0.0.dev0", ""),
        ("2.0; curl", ""),
    ],
)
def test_a_function_runs_by_the_sdk_of_its_client(tmp_path: Path, version: str, line: str) -> None:
    assert runtime_requirement((*COMMAND, VERSION, version, "--region", "us-east-1"), "", tmp_path) == line


@pytest.mark.parametrize("arguments", [(), (VERSION,), ("--version", "2.200.1")])
def test_any_other_job_needs_none(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert runtime_requirement((*COMMAND, *arguments), "", tmp_path) == ""


@pytest.mark.parametrize("line", ["sagemaker", "sagemaker>=2.256.0,<3.0.0", "sagemaker-core==2.1", "sagemaker[local]"])
def test_a_list_that_names_the_sdk_is_the_users_own_choice(tmp_path: Path, line: str) -> None:
    assert runtime_requirement((*COMMAND, VERSION, "3.27.0"), f"pandas\n{line}\n", tmp_path) == ""
    assert runtime_requirement((*COMMAND, VERSION, "3.27.0"), "sagemaker-inference\n", tmp_path) != ""


@pytest.mark.parametrize(
    ("package", "line"),
    [("sagemaker-2.1.0", ""), ("sagemaker_core-2.1.0", ""), ("sagemaker_containers-2.8", "sagemaker==2.200.1\n")],
)
def test_an_environment_that_has_an_sdk_keeps_it(tmp_path: Path, package: str, line: str) -> None:
    (tmp_path / "lib" / "python3.11" / "site-packages" / f"{package}.dist-info").mkdir(parents=True)
    assert runtime_requirement((*COMMAND, VERSION, "2.200.1"), "", tmp_path) == line
