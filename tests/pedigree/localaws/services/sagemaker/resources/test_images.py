"""Images whose program is inside of them are refused by name; a missing module names what stood for the image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.services.sagemaker.jobs import plans
from pedigree.localaws.services.sagemaker.resources import images

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
LINEAR = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"


def job(image: Any, hyperparameters: dict[str, Any] | None = None, **algorithm: Any) -> dict[str, Any]:
    return {"AlgorithmSpecification": {"TrainingImage": image, **algorithm}, "HyperParameters": hyperparameters or {}}


@pytest.mark.parametrize(("image", "name"), [(XGBOOST, "XGBoost"), (LINEAR, "Linear Learner")])
def test_a_built_in_algorithm_is_refused_by_its_name(image: str, name: str) -> None:
    assert f"does not have the built-in algorithm {name}" in images.refusal(job(image))
    with pytest.raises(ValueError, match=name):
        plans.training({**job(image), "TrainingJobName": "t"}, toolkit=("train",))


@pytest.mark.parametrize(
    "written",
    [
        job(XGBOOST, {"sagemaker_program": "train.py"}),
        job(XGBOOST, ContainerEntrypoint=["python3"]),
        job("me/xgboost-of-mine:1"),
        job({"Get": "Parameters.Image"}),
        {},
    ],
)
def test_what_has_a_program_of_its_own_is_not_refused(written: dict[str, Any]) -> None:
    assert images.refusal(written) == ""


@pytest.mark.parametrize("more", [{}, {"ContainerArguments": ["--input", "x"]}, {"ContainerEntrypoint": []}])
def test_a_processing_job_without_a_command_is_refused_with_its_image(more: dict[str, list[str]]) -> None:
    written = {
        "AppSpecification": {"ImageUri": XGBOOST, **more},
        "ProcessingJobName": "p",
        "RoleArn": "role",
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1}},
    }
    with pytest.raises(ValueError, match=r"no ContainerEntrypoint.*sagemaker-xgboost"):
        plans.processing(written)


def test_a_missing_module_names_the_environment_and_the_image_within_the_length_of_a_reason() -> None:
    assert images.missing_module("ModuleNotFoundError: No module named 'xgboost.core'") == "xgboost.core"
    assert images.missing_module("No module named anything") == ""
    reason = images.with_missing_module("x" * 2000, "xgboost", job(XGBOOST), Path("/env"))
    assert len(reason) == 1024
    assert f"/env stood for the image {XGBOOST}, and has no xgboost" in reason


def processed(*command: str) -> dict[str, Any]:
    return {"AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": list(command)}}


@pytest.mark.parametrize(
    "written",
    [
        job(XGBOOST, {"sagemaker_program": "train.py"}),
        job(XGBOOST, ContainerEntrypoint=["/bin/bash"], ContainerArguments=["-c", "/opt/ml/…/sm_train.sh"]),
        processed("/bin/bash", "/opt/ml/processing/input/entrypoint/runproc.sh"),
    ],
)
def test_the_remedy_is_a_requirements_file_where_something_installs_it(written: dict[str, Any]) -> None:
    assert "; a requirements.txt beside" in images.with_missing_module("", "pandas", written, Path("/env"))


@pytest.mark.parametrize("written", [processed("python3", "prepare.py"), job(XGBOOST, ContainerEntrypoint=["python3"])])
def test_a_job_with_a_command_of_its_own_installs_nothing_by_itself(written: dict[str, Any]) -> None:
    reason = images.with_missing_module("", "pandas", written, Path("/env"))
    assert "requirements.txt" not in reason
    assert reason.endswith("or install it there: /env/bin/python -m pip install …")


def test_a_notebook_job_needs_awss_program_for_notebooks_and_a_container(tmp_path: Path) -> None:
    command = ("amazon_sagemaker_scheduler",)
    missing = images.notebook_refusal(command, tmp_path, "")
    assert missing.endswith(f"{tmp_path}/bin/python -m pip install sagemaker-headless-execution-driver ipykernel")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / command[0]).touch()
    assert images.notebook_refusal(command, tmp_path, "") == ""
    assert images.notebook_refusal(command, tmp_path, "no namespaces").endswith("there is none: no namespaces")
    assert images.notebook_refusal(("python3",), tmp_path, "no namespaces") == ""
