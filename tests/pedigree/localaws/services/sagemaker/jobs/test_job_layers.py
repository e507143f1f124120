"""What a requirements.txt asks for is installed once, into a layer that all jobs with the same list see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.job_runner import LocalJobs
from tests.support.wheels import write_wheel

NAME = "of_a_layer"
# Says what it finds, and then changes it.
USE = f"""
import {NAME}, pathlib
print({NAME}.ANSWER)
pathlib.Path({NAME}.__file__).write_text("ANSWER = 'changed by a job'")
"""


@pytest.fixture
def variables(local: LocalJobs) -> dict[str, str]:
    """pip finds packages in a folder that every container of the test sees, and nowhere else."""
    write_wheel(local.outside, NAME, "ANSWER = 42")
    return {"PIP_FIND_LINKS": str(local.outside), "PIP_NO_INDEX": "1"}


def run(local: LocalJobs, script: str, **members: object) -> list[str]:
    """The lines of a job that has ended well; another one may have its name."""
    before = len(local.logs.lines)
    local.run_script(script, "python", **members)
    ended = local.ended()
    lines = [line for _, line in local.logs.lines[before:]]
    assert ended["TrainingJobStatus"] == "Completed", lines
    local.service.answer("DeleteTrainingJob", {"TrainingJobName": "job"})
    return lines


def test_a_second_job_finds_the_layer_of_the_first_as_that_found_it(
    local: LocalJobs, variables: dict[str, str]
) -> None:
    local.put("code/requirements.txt", f"{NAME}==1\n")
    first, second = (run(local, USE, Environment=variables) for _ in range(2))
    assert [line for line in first if not line.startswith("[local AWS]")] == ["42"]
    assert any(line.startswith("[local AWS] The layer is ready after") for line in first)
    assert second == ["42"]


def test_the_jobs_own_pip_finds_everything_there(local: LocalJobs, variables: dict[str, str]) -> None:
    local.put("code/requirements.txt", f"{NAME}\n")
    pip = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'pip', 'install', '-r', sys.argv[0].replace("
    lines = run(local, f"{pip}'script', 'requirements.txt')])", Environment=variables)
    assert any(line.startswith(f"Requirement already satisfied: {NAME}") for line in lines), lines


def test_a_job_whose_list_cannot_be_installed_beforehand_is_left_to_itself(
    local: LocalJobs, variables: dict[str, str]
) -> None:
    local.put("code/requirements.txt", "of_no_layer\n")
    [*notes, last] = run(local, "print('runs')", Environment=variables)
    assert last == "runs"
    assert "No matching distribution found for of_no_layer" in notes[-1]
    assert not list(Path(local.world.folder, "environments", "layers").glob("*/"))


def test_an_isolated_job_gets_no_layer_as_it_could_install_nothing(local: LocalJobs, variables: dict[str, str]) -> None:
    local.put("code/requirements.txt", f"{NAME}\n")
    script = f"import importlib.util; print(importlib.util.find_spec('{NAME}'))"
    assert run(local, script, Environment=variables, EnableNetworkIsolation=True) == ["None"]
