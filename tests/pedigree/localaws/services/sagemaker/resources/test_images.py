"""What a job runs of an image: its own command, its script by the image's program, or that program alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.images.catalog import ImageCatalog
from pedigree.localaws.images.environments import Environments
from pedigree.localaws.images.errors import ImageError
from pedigree.localaws.services.sagemaker.jobs import plans
from pedigree.localaws.services.sagemaker.resources import images
from pedigree.localaws.services.sagemaker.resources.images import PROGRAMS, Images
from tests.support.images import any_image

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
XGBOOST, SKLEARN = f"{REGISTRY}/sagemaker-xgboost:1.7-1", f"{REGISTRY}/sagemaker-scikit-learn:1.2-1-cpu-py3"
LINEAR, SPARK = f"{REGISTRY}/ipinsights:1", f"{REGISTRY}/sagemaker-spark-processing:3.5-cpu-py39-v1.0"
KNOWN = Images(ImageCatalog(), Environments(Path("/environments")))
SCRIPT = {"sagemaker_program": "train.py", "sagemaker_submit_directory": '"s3://bucket/code/sourcedir.tar.gz"'}


def job(image: Any, hyperparameters: dict[str, Any] | None = None, **algorithm: Any) -> dict[str, Any]:
    return {"AlgorithmSpecification": {"TrainingImage": image, **algorithm}, "HyperParameters": hyperparameters or {}}


def whole(written: dict[str, Any]) -> dict[str, Any]:
    return {
        "TrainingJobName": "t",
        "TrainingJobArn": "arn",
        "RoleArn": "role",
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceCount": 1},
        **written,
    }


def processed(*command: str, image: str = "image") -> dict[str, Any]:
    return {
        "AppSpecification": {"ImageUri": image, **({"ContainerEntrypoint": list(command)} if command else {})},
        "ProcessingJobName": "p",
        "RoleArn": "role",
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1}},
    }


@pytest.mark.parametrize(
    ("written", "program"),
    [
        (job(XGBOOST), f"{PROGRAMS}/xgboost_training.py"),
        (job(XGBOOST, SCRIPT), f"{PROGRAMS}/script_mode.py"),
        (job(SKLEARN, SCRIPT), f"{PROGRAMS}/script_mode.py"),
    ],
)
def test_an_image_s_program_is_run_by_the_python_of_its_environment(written: dict[str, Any], program: str) -> None:
    python, path = images.training_command(written, KNOWN)
    assert python.startswith("/environments/")
    assert python.endswith("/bin/python")
    assert path == program


def test_an_image_that_only_starts_scripts_starts_without_one_and_fails_as_on_aws() -> None:
    assert images.training_command(job(SKLEARN), KNOWN)[-1].endswith("/script_mode.py")


def test_a_command_of_its_own_comes_first() -> None:
    own = job(XGBOOST, SCRIPT, ContainerEntrypoint=["bash"], ContainerArguments=["-c", "true"])
    assert images.training_command(own, KNOWN) == ("bash", "-c", "true")


def test_arguments_are_those_of_the_image_s_program() -> None:
    assert images.training_command(job(XGBOOST, SCRIPT, ContainerArguments=["--x"]), KNOWN)[2:] == ("--x",)


def test_a_program_of_the_recipe_s_own_is_what_a_job_without_a_command_runs(tmp_path: Path) -> None:
    described = any_image(tmp_path, ("python", "/opt/program/train"))
    assert images.training_command(job("mine"), described) == ("python", "/opt/program/train")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (job(LINEAR), "IP Insights"),
        (job("sagemaker-spark-processing:3.3-cpu-py39-v1"), "is not here: spark stands for it"),
        (job("mine:1"), "nothing says what stands for the image mine:1"),
    ],
)
def test_what_has_no_program_here_is_refused(written: dict[str, Any], words: str) -> None:
    with pytest.raises(ImageError, match=words):
        plans.training(whole(written), KNOWN)


def test_the_source_of_a_script_is_an_input_where_our_program_starts_it() -> None:
    plan = plans.training(whole(job(SKLEARN, SCRIPT)), KNOWN)
    assert [(str(source.place), source.folder) for source in plan.inputs] == [
        ("s3://bucket/code/sourcedir.tar.gz", "/opt/ml/input/source")
    ]
    with_command = job(SKLEARN, SCRIPT, ContainerEntrypoint=["bash"])
    assert plans.training(whole(with_command), KNOWN).inputs == ()


def test_a_processing_job_without_a_command_is_refused_with_its_image() -> None:
    with pytest.raises(ImageError, match=r"no ContainerEntrypoint.*sagemaker-xgboost"):
        plans.processing(processed(image=XGBOOST), KNOWN)


def test_a_program_of_ours_stands_for_a_command_of_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "java").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    python, *words = images.processing_command(processed("smspark-submit", "app.py", image=SPARK), KNOWN)
    assert python.endswith("/bin/python")
    assert words == [f"{PROGRAMS}/spark_submit.py", "app.py"]
    other = processed("python3", "app.py", image=SPARK)
    assert images.processing_command(other, KNOWN) == ("python3", "app.py")


def test_an_image_is_refused_on_a_machine_without_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImageError, match=f"the image {SPARK} needs java, and this machine has none"):
        plans.processing(processed("smspark-submit", "app.py", image=SPARK), KNOWN)


def test_a_missing_module_names_the_environment_and_the_image_within_the_length_of_a_reason() -> None:
    assert images.missing_module("ModuleNotFoundError: No module named 'xgboost.core'") == "xgboost.core"
    assert images.missing_module("No module named anything") == ""
    reason = images.with_missing_module("x" * 2000, "xgboost", job(XGBOOST), "any", Path("/env"))
    assert len(reason) == 1024
    assert f"the recipe any (/env) stood for the image {XGBOOST}, and has no xgboost" in reason


@pytest.mark.parametrize(
    "written",
    [
        job(XGBOOST, {"sagemaker_program": "train.py"}),
        job(XGBOOST, ContainerEntrypoint=["/bin/bash"], ContainerArguments=["-c", "/opt/ml/…/sm_train.sh"]),
        processed("/bin/bash", "/opt/ml/processing/input/entrypoint/runproc.sh"),
    ],
)
def test_the_remedy_is_a_requirements_file_where_something_installs_it(written: dict[str, Any]) -> None:
    assert "; a requirements.txt beside" in images.with_missing_module("", "pandas", written, "any", Path("/env"))


@pytest.mark.parametrize("written", [processed("python3", "prepare.py"), job(XGBOOST, ContainerEntrypoint=["python3"])])
def test_a_job_with_a_command_of_its_own_installs_nothing_by_itself(written: dict[str, Any]) -> None:
    reason = images.with_missing_module("", "pandas", written, "any", Path("/env"))
    assert "requirements.txt" not in reason
    assert reason.endswith("let the script install it with pip, or describe the image in images.toml")


def test_a_notebook_job_needs_awss_program_for_notebooks_and_a_container(tmp_path: Path) -> None:
    command = ("amazon_sagemaker_scheduler",)
    missing = images.notebook_refusal(command, tmp_path, "")
    assert missing.endswith(
        'has no amazon_sagemaker_scheduler; describe the image in images.toml with like = "notebooks"'
    )
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / command[0]).touch()
    assert images.notebook_refusal(command, tmp_path, "") == ""
    assert images.notebook_refusal(command, tmp_path, "no namespaces").endswith("there is none: no namespaces")
    assert images.notebook_refusal(("python3",), tmp_path, "no namespaces") == ""


def test_the_variables_of_an_image_may_have_its_tag() -> None:
    assert KNOWN.variables(XGBOOST) == {"SAGEMAKER_XGBOOST_VERSION": "1.7-1"}
    assert KNOWN.variables(SKLEARN) == {}


def test_a_built_in_algorithm_has_metrics_of_its_own() -> None:
    names = [name for name, _ in images.metric_definitions(job(XGBOOST))]
    assert {"train:rmse", "validation:rmse", "validation:auc"} <= set(names)
    k_means = images.metric_definitions(job(XGBOOST.rpartition("/")[0] + "/kmeans:1"))
    assert {"test:msd", "test:ssd"} <= {name for name, _ in k_means}
    own = [{"Name": "loss", "Regex": "loss=(.*)"}]
    assert images.metric_definitions(job(XGBOOST, MetricDefinitions=own)) == (("loss", "loss=(.*)"),)
    assert [name for name, _ in images.metric_definitions(job(XGBOOST, SCRIPT))] == names
    assert images.metric_definitions(job(XGBOOST, SCRIPT, ContainerEntrypoint=["bash"])) == ()
    assert images.metric_definitions(job(SKLEARN)) == ()
