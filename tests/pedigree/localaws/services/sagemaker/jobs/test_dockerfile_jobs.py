"""A job of an image that a Dockerfile describes finds its files, its variables and its program."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.containers import HAS_CONTAINERS
from tests.support.folders import write_files
from tests.support.images import images_file
from tests.support.job_runner import LocalJobs

TRAIN = """#!/usr/bin/python3
import json, os, pathlib, settings, sys
told = {"words": sys.argv[1:], "folder": os.getcwd(), "mode": os.environ["MODE"], "answer": settings.ANSWER}
told["prefix"] = sys.prefix
pathlib.Path("beside.txt").write_text("x")
pathlib.Path("/opt/ml/model/told.json").write_text(json.dumps(told))
"""
DOCKERFILE = """
FROM base:1
RUN apt-get update && apt-get install -y nginx
ENV MODE=fast PATH="/opt/program:${PATH}"
COPY program /opt/program
RUN chmod +x /opt/program/train
WORKDIR /opt/program
"""
IMAGE = {"TrainingImage": "custom:1", "ContainerEntrypoint": None}
PLAIN = {"S3OutputPath": "s3://bucket/out", "CompressionType": "NONE"}
in_containers = pytest.mark.skipif(not HAS_CONTAINERS, reason="this kernel gives no namespaces")


def describe(folder: Path, dockerfile: str, files: dict[str, str]) -> None:
    """Let a Dockerfile describe the images custom:*; base:* is the Python of the tests."""
    base = images_file(folder, pattern="base:*").read_text(encoding="utf-8")
    recipe = '[[recipe]]\nname = "custom"\nimages = ["custom:*"]\nfolder = "docker"\n'
    write_files(folder, {"images.toml": f"{recipe}{base}"})
    write_files(folder / "docker", {"Dockerfile": dockerfile, **files})


def told(local: LocalJobs) -> str:
    return local.texts("out/job/output/model/")["out/job/output/model/told.json"]


def lines(local: LocalJobs) -> list[str]:
    return [line for _, line in local.logs.lines]


@in_containers
def test_its_own_program_trains_in_its_folder_with_its_variables(local: LocalJobs, tmp_path: Path) -> None:
    describe(tmp_path, DOCKERFILE, {"program/train": TRAIN, "program/settings.py": "ANSWER = 42\n"})
    local.train("", algorithm=IMAGE, OutputDataConfig=PLAIN)
    assert local.ended()["TrainingJobStatus"] == "Completed", lines(local)
    expected = '{"words": [], "folder": "/opt/program", "mode": "fast", "answer": 42, '
    assert told(local) == f'{expected}"prefix": "{sys.prefix}"}}'
    assert not (tmp_path / "docker" / "program" / "beside.txt").exists()
    assert any("line 3 of its Dockerfile is skipped: apt-get update" in line for line in lines(local))


@in_containers
def test_files_of_folders_of_the_system_are_in_a_layer_over_them(local: LocalJobs, tmp_path: Path) -> None:
    lines_of_file = ("FROM base:1", "COPY say /usr/local/bin/", "COPY a.txt /usr/src/app/", "COPY a.txt /top.txt")
    more = ("RUN chmod +x /usr/local/bin/say", "WORKDIR /usr/src/app", "COPY a.txt /root/", 'ENTRYPOINT ["say"]')
    script = "#!/bin/sh\ncat a.txt /top.txt ~/a.txt; echo $1; pwd; ls /usr/bin/env\n"
    describe(tmp_path, "\n".join((*lines_of_file, *more)), {"say": script, "a.txt": "a\n"})
    local.train("", algorithm=IMAGE)
    assert local.ended()["TrainingJobStatus"] == "Completed", lines(local)
    assert lines(local)[-6:] == ["a", "a", "a", "train", "/usr/src/app", "/usr/bin/env"]
    assert not any(Path(path).exists() for path in ("/usr/local/bin/say", "/usr/src/app/a.txt", "/top.txt"))


@in_containers
def test_parts_of_this_machine_that_no_job_may_see_stay_hidden(local: LocalJobs, tmp_path: Path) -> None:
    describe(tmp_path, "FROM base:1\nCOPY a.txt /etc/", {"a.txt": "a"})
    local.train("cat /etc/a.txt /etc/shadow", algorithm={"TrainingImage": "custom:1"})
    assert "the image has files in /etc, a folder of this machine with parts" in local.ended()["FailureReason"]
    assert not Path("/etc/a.txt").exists()


def test_the_script_that_the_image_names_runs_in_script_mode(local: LocalJobs, tmp_path: Path) -> None:
    named = "COPY main.py /opt/ml/code/main.py\nENV SAGEMAKER_PROGRAM main.py"
    dockerfile = f"FROM base:1\nRUN pip install sagemaker-training\n{named}"
    script = "import os, sys; print(sys.argv[1:], os.environ['SM_MODEL_DIR'][-8:])"
    describe(tmp_path, dockerfile, {"main.py": script})
    local.train("", algorithm=IMAGE, HyperParameters={"epochs": "3"})
    assert local.ended()["TrainingJobStatus"] == "Completed", lines(local)
    assert "['--epochs', '3'] ml/model" in lines(local)


@pytest.mark.parametrize(
    ("application", "line"),
    [
        ({}, "from CMD"),
        ({"ContainerArguments": ["given"]}, "given"),
        ({"ContainerEntrypoint": ["echo", "own"]}, "own"),
    ],
)
def test_a_processing_job_runs_the_entrypoint_with_its_own_arguments(
    local: LocalJobs, tmp_path: Path, application: dict[str, list[str]], line: str
) -> None:
    describe(tmp_path, 'FROM base:1\nENTRYPOINT ["echo"]\nCMD ["from CMD"]', {})
    local.process(application={"ImageUri": "custom:1", **application})
    assert local.ended("Processing")["ProcessingJobStatus"] == "Completed", lines(local)
    assert lines(local)[-1] == line


def test_without_a_container_files_outside_of_opt_ml_are_refused(tmp_path: Path) -> None:
    local = LocalJobs(tmp_path, uses_namespaces=False)
    describe(tmp_path, DOCKERFILE, {"program/train": TRAIN})
    local.train("", algorithm=IMAGE)
    assert "the image has files in /opt/program, which needs a container" in local.ended()["FailureReason"]


def test_without_a_container_files_in_opt_ml_are_found_and_their_paths_rewritten(tmp_path: Path) -> None:
    local = LocalJobs(tmp_path, uses_namespaces=False)
    dockerfile = 'FROM base:1\nCOPY main.py /opt/ml/code/\nENTRYPOINT ["python", "/opt/ml/code/main.py"]'
    describe(tmp_path, dockerfile, {"main.py": "open('/opt/ml/model/told.json', 'w').write('told')"})
    local.train("", algorithm=IMAGE, OutputDataConfig=PLAIN)
    assert local.ended()["TrainingJobStatus"] == "Completed", lines(local)
    assert told(local) == "told"
