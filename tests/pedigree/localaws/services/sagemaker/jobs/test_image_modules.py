"""Scripts of AWS's frameworks find the modules that only the images have, in whatever kind of job."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.images import images_file
from tests.support.job_runner import LocalJobs

IMPORTS = ("python3", "-c", "import sagemaker_algorithm_toolkit.exceptions, sys; print(sys.path[1:3])")


@pytest.mark.parametrize("kind", ["Training", "Processing"])
def test_a_command_of_a_framework_s_image_imports_them(local: LocalJobs, tmp_path: Path, kind: str) -> None:
    images_file(tmp_path, serve="sklearn_serving")
    if kind == "Training":
        local.train("", algorithm={"ContainerEntrypoint": list(IMPORTS)}, Environment={"PYTHONPATH": "/usr/own"})
    else:
        local.process({"ImageUri": "image", "ContainerEntrypoint": list(IMPORTS)})
    job = local.ended(kind)
    assert job[f"{kind}JobStatus"] == "Completed", local.logs.lines
    [(_, printed)] = local.logs.lines
    assert ("/usr/own" in printed) == (kind == "Training")
    assert "programs/shims" in printed


def test_other_images_have_none(local: LocalJobs) -> None:
    local.process({"ImageUri": "image", "ContainerEntrypoint": list(IMPORTS)})
    assert local.ended("Processing")["ProcessingJobStatus"] == "Failed"
    assert any("No module named 'sagemaker_algorithm_toolkit'" in line for _, line in local.logs.lines)
