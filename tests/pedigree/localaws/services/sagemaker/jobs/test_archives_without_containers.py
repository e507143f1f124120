"""Scripts in archives say /opt/ml: on a machine without namespaces, they find their job's folder nevertheless."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.services.s3.catalog import S3Location
from pedigree.localaws.services.sagemaker.control.service import ControlPlane
from pedigree.localaws.services.sagemaker.jobs.operations import TrainingJobOperations
from tests.support.images import any_image
from tests.support.job_runner import ROLE, LocalJobs, channel

# What AWS's training toolkit does: it takes the hyperparameters, and unpacks the scripts into its code folder.
TOOLKIT = """
import json, os, subprocess, sys, tarfile
base = os.environ["SAGEMAKER_BASE_DIR"]
given = json.load(open(base + "/input/config/hyperparameters.json"))
assert "://" not in given["sagemaker_submit_directory"], given
with tarfile.open(given["sagemaker_submit_directory"]) as archive:
    archive.extractall(base + "/code", filter="data")
sys.exit(subprocess.run([sys.executable, given["sagemaker_program"]], cwd=base + "/code").returncode)
"""
TRAIN = """
from helpers import place
import shutil
shutil.copy("/opt/ml/input/data/training/x", place() + "/model")
"""
RUNPROC = """#!/bin/bash
cd /opt/ml/processing/input/code/
tar -xzf sourcedir.tar.gz
set -e
python3 process.py
"""


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalJobs]:
    opened = LocalJobs(tmp_path, uses_namespaces=False)
    yield opened
    opened.runner.end_all()


def put_archive(local: LocalJobs, key: str, **files: str) -> bytes:
    """Put an archive of Python files into the bucket; one more member is a link."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"./{name}.py")
            member.size, member.mode = len(text.encode()), 0o755
            archive.addfile(member, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("./link.py")
        link.type, link.linkname = tarfile.SYMTYPE, f"{next(iter(files))}.py"
        archive.addfile(link)
    local.catalog.put(S3Location("bucket", key), [packed.getvalue()])
    return packed.getvalue()


def train(local: LocalJobs, address: str) -> dict[str, Any]:
    """A training job that the toolkit starts."""
    training = TrainingJobOperations(local.runner, any_image(local.world.folder, (sys.executable, "-c", TOOLKIT)))
    local.service = ControlPlane(local.world, (training,))
    local.put("training/x", "data")
    submitted = {"sagemaker_program": "train.py", "sagemaker_submit_directory": json.dumps(address)}
    members: dict[str, Any] = {"HyperParameters": submitted, "InputDataConfig": [channel("training")]}
    local.train("", algorithm={"ContainerEntrypoint": None}, **members)
    return local.ended()


def test_the_toolkits_archive_of_scripts(local: LocalJobs) -> None:
    before = put_archive(local, "code/sourcedir.tar.gz", train=TRAIN, helpers="def place():\n    return '/opt/ml'\n")
    assert train(local, "s3://bucket/code/sourcedir.tar.gz")["TrainingJobStatus"] == "Completed", local.logs.lines
    packed = local.catalog.read("s3://bucket/out/job/output/model.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert archive.getnames() == ["x"]
    assert local.catalog.read("s3://bucket/code/sourcedir.tar.gz") == before


def test_an_archive_that_is_not_there_fails_the_job_with_its_address(local: LocalJobs) -> None:
    assert "s3://bucket/code/none.tar.gz" in train(local, "s3://bucket/code/none.tar.gz")["FailureReason"]


def process(local: LocalJobs) -> dict[str, Any]:
    """A processing job as a FrameworkProcessor makes it."""
    local.put("entrypoint/runproc.sh", RUNPROC)

    def source(name: str) -> dict[str, Any]:
        return {
            "InputName": name,
            "S3Input": {
                "S3Uri": f"s3://bucket/{name}/",
                "LocalPath": f"/opt/ml/processing/input/{name}",
                "S3DataType": "S3Prefix",
            },
        }

    output = {"S3Uri": "s3://bucket/out", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    machines = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    command = ["/bin/bash", "/opt/ml/processing/input/entrypoint/runproc.sh"]
    request = {
        "ProcessingJobName": "job",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": command},
        "ProcessingResources": {"ClusterConfig": machines},
        "ProcessingInputs": [source("code"), source("entrypoint")],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": output}]},
    }
    local.service.answer("CreateProcessingJob", request)
    return local.ended("Processing")


def test_a_framework_processors_archive_of_scripts(local: LocalJobs) -> None:
    script = "open('/opt/ml/processing/out/made', 'w').write('made')"
    put_archive(local, "code/sourcedir.tar.gz", process=script)
    assert process(local)["ProcessingJobStatus"] == "Completed", local.logs.lines
    assert local.texts("out") == {"out/made": "made"}


def test_scripts_beside_an_archive_and_in_folders_of_code_are_rewritten_and_data_is_not(local: LocalJobs) -> None:
    local.put("code/step.py", "print('/opt/ml/model')")
    local.put("data/step.py", "print('/opt/ml/model')")
    local.train("cd $SAGEMAKER_BASE_DIR/input/data && cat code/step.py data/step.py",
                InputDataConfig=[channel("code"), channel("data")])  # fmt: skip
    assert local.ended()["TrainingJobStatus"] == "Completed"
    written = "".join(line for _, line in local.logs.lines)
    assert written.count("'/opt/ml/model'") == 1
    assert f"'{os.sep}" in written
    assert local.catalog.read("s3://bucket/code/step.py") == b"print('/opt/ml/model')"


def test_an_archive_that_cannot_be_unpacked_is_the_jobs_own_failure(local: LocalJobs) -> None:
    local.put("code/sourcedir.tar.gz", "no archive")
    assert process(local)["ProcessingJobStatus"] == "Failed"
    assert any("not in gzip format" in line for _, line in local.logs.lines)
