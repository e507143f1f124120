"""A job whose inputs and outputs are larger than its VolumeSizeInGB fails, as it does on AWS."""

from __future__ import annotations

from pathlib import Path

import pytest

from pedigree.localaws.services.s3.catalog import S3Location
from tests.support.job_runner import LocalJobs, channel

GIGABYTE = 1 << 30


def put_large(local: LocalJobs, key: str, size: int) -> None:
    """Put an object whose record has a size that its content has not: gigabytes would take the test a minute."""
    local.put(key)
    local.catalog.update(S3Location("bucket", key), lambda body: {**body, "size": size})


def machines(kind: str, count: int = 1) -> dict[str, object]:
    return {"InstanceType": kind, "InstanceCount": count, "VolumeSizeInGB": 1}


def test_inputs_that_do_not_fit_are_not_downloaded(local: LocalJobs) -> None:
    put_large(local, "train/a", GIGABYTE)
    local.put("train/b")
    local.train("echo begun", InputDataConfig=[channel("train")])
    reason = "the inputs have 1.00 GB, and VolumeSizeInGB is 1"
    job = local.ended()
    assert job["FailureReason"] == f"ClientError: Data download failed: No space left on device: {reason}"
    assert local.logs.lines == []


def test_inputs_that_just_fit_are_no_problem(local: LocalJobs) -> None:
    put_large(local, "train/a", GIGABYTE)
    local.train("true", InputDataConfig=[channel("train")])
    assert local.ended()["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize(("distribution", "status"), [("ShardedByS3Key", "Completed"), ("FullyReplicated", "Failed")])
def test_a_host_has_its_own_share_of_the_inputs(local: LocalJobs, distribution: str, status: str) -> None:
    for name in ("a", "b"):
        put_large(local, f"train/{name}", GIGABYTE)
    shared = channel("train", S3DataDistributionType=distribution)
    local.train("true", hosts=2, InputDataConfig=[shared])
    assert local.ended()["TrainingJobStatus"] == status


def test_a_machine_with_disks_of_its_own_has_no_such_volume(local: LocalJobs) -> None:
    put_large(local, "train/a", GIGABYTE + 1)
    local.train("true", InputDataConfig=[channel("train")], ResourceConfig=machines("ml.g5.xlarge"))
    assert local.ended()["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize("folder", ["model", "checkpoints", "output/data"])
def test_outputs_that_do_not_fit_beside_the_inputs_fail_the_job(local: LocalJobs, folder: str) -> None:
    put_large(local, "train/a", GIGABYTE // 2)
    checkpoints = {"S3Uri": "s3://bucket/checkpoints"}
    script = f"truncate -s 600M /opt/ml/{folder}/x"
    local.train(script, InputDataConfig=[channel("train")], CheckpointConfig=checkpoints)
    job = local.ended()
    assert job["TrainingJobStatus"] == "Failed"
    words = "the inputs have 0.50 GB, the outputs 0.59 GB, and VolumeSizeInGB is 1"
    assert job["FailureReason"] == f"ClientError: Disk usage: No space left on device: {words}"
    local.runner.wait_for_cleanup("job")
    assert not (local.world.folder / "jobs" / "job").exists()


def test_a_job_that_fails_by_itself_keeps_its_own_reason(local: LocalJobs) -> None:
    local.train("truncate -s 2G /opt/ml/model/x; echo full > /opt/ml/output/failure; exit 1")
    assert local.ended()["FailureReason"] == "AlgorithmError: full, exit code: 1"


def test_without_containers_the_same_holds(tmp_path: Path) -> None:
    local = LocalJobs(tmp_path, uses_namespaces=False)
    local.train("truncate -s 2G /opt/ml/model/x")
    assert "the outputs 2.00 GB, and VolumeSizeInGB is 1" in local.ended()["FailureReason"]
    local.runner.end_all()
