"""A job whose image takes long to get ready is stopped like any other, and a failure of the image is the job's."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from pedigree.localaws.images.catalog import ImageCatalog
from pedigree.localaws.images.environments import Environments
from pedigree.localaws.services.sagemaker.jobs.image_wait import StoppedWhileWaitingError, wait_for_image
from pedigree.localaws.services.sagemaker.resources.images import Images
from tests.support.job_runner import LocalJobs


def test_a_stopped_job_does_not_wait_for_an_environment_that_another_process_makes(tmp_path: Path) -> None:
    recipes, folder = tmp_path / "images.toml", tmp_path / "environments"
    recipes.write_text('[[recipe]]\nname = "slow"\nimages = ["*"]\npackages = ["none-of-this-name"]\n')
    images = Images(ImageCatalog(recipes), Environments(folder))
    folder.mkdir()
    environment = images.environments.folder_of(images.find("image").recipe)
    local = LocalJobs(tmp_path, images=images)
    with environment.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        local.train("true")
        local.logs.wait_for("[local AWS] Waiting for slow …")
        local.service.answer("StopTrainingJob", {"TrainingJobName": "job"})
        job = local.ended()
        assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
        environment.mkdir()  # so that the other process has made it, and nothing is left to do
        (environment / "bin").mkdir()
        (environment / "bin" / "python").touch()
        (environment / ".ready").write_text("slow")


def test_an_image_that_is_there_is_not_waited_for() -> None:
    assert wait_for_image(lambda: 1, lambda: True) == 1


def test_what_goes_wrong_with_an_image_goes_wrong_with_the_job() -> None:
    def fail() -> int:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        wait_for_image(fail, lambda: False)


def test_a_job_that_stops_has_no_image() -> None:
    stops = iter([False, True])
    is_over: list[bool] = []

    def never() -> int:
        while not is_over:
            pass
        return 1

    with pytest.raises(StoppedWhileWaitingError):
        wait_for_image(never, lambda: next(stops))
    is_over.append(True)
