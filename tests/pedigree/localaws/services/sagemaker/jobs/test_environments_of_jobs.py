"""Jobs wait for the environment of their image, which one of them makes; what cannot be made fails them in one line."""

from __future__ import annotations

from pathlib import Path

from tests.support.job_runner import LocalJobs
from tests.support.local_package import Gate, local_package

IMAGE = {"TrainingImage": "mine:1"}


def describe(folder: Path, package: str) -> None:
    recipe = f'[[recipe]]\nname = "mine"\nimages = ["mine:*"]\npackages = ["{package}"]\n'
    (folder / "images.toml").write_text(recipe, encoding="utf-8")


def test_of_two_jobs_at_once_one_makes_the_environment_and_the_other_waits(local: LocalJobs, tmp_path: Path) -> None:
    describe(tmp_path, local_package(tmp_path / "package"))
    gate = Gate(tmp_path / "package")
    script = "python -c 'import of_a_test; print(of_a_test.ANSWER)'"
    local.train(script, algorithm=IMAGE, TrainingJobName="one")
    gate.wait_until_begun()
    local.train(script, algorithm=IMAGE)
    local.logs.wait_for("[local AWS] Waiting for mine …")
    gate.open()
    assert local.ended()["TrainingJobStatus"] == "Completed"
    assert local.ended(name="one")["TrainingJobStatus"] == "Completed"
    texts = [text for _, text in local.logs.lines]
    assert texts.count("42") == 2
    assert sum("Making an environment for mine" in text for text in texts) == 1


def test_an_environment_that_cannot_be_made_is_one_line_of_the_reason(local: LocalJobs, tmp_path: Path) -> None:
    describe(tmp_path, "of-a-test @ file:///nowhere/at-all")
    local.train("true", algorithm=IMAGE)
    job = local.ended()
    assert job["TrainingJobStatus"] == "Failed"
    assert "the environment of mine cannot be made: " in job["FailureReason"]
    assert "\n" not in job["FailureReason"]
    assert [path.suffix for path in (tmp_path / "environments").iterdir()] == [".lock"]
