"""The files that jobs of the local AWS download and upload."""

from __future__ import annotations

import io
import tarfile

import pytest

from pedigree.localaws.http.protocol.errors import ServiceError
from tests.support.job_runner import LocalJobs, channel


def test_a_manifest_is_a_channel_of_just_what_it_lists(local: LocalJobs) -> None:
    for key in ("data/a/1.txt", "data/2.txt", "data/3.txt"):
        local.put(key, key)
    local.put("list", '[{"prefix": "s3://bucket/data/"}, "a/1.txt", "3.txt"]')
    listed = channel("train", S3DataType="ManifestFile", S3Uri="s3://bucket/list")
    local.train("cd /opt/ml/input/data/train && find . -type f", InputDataConfig=[listed])
    assert local.ended()["TrainingJobStatus"] == "Completed"
    assert sorted(line for _, line in local.logs.lines) == ["./3.txt", "./a/1.txt"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"prefix": "s3://bucket/data/"}, "gone"]', "this object does not exist"),
        ('[{"prefix": "s3://bucket/data/"}, "../../../code/x"]', "is not a path inside a folder"),
        ("a list", "is not a JSON list"),
    ],
)
def test_a_manifest_that_is_missing_fails_the_job_with_the_reason(local: LocalJobs, content: str, message: str) -> None:
    local.put("list", content)
    local.train("true", InputDataConfig=[channel("train", S3DataType="ManifestFile", S3Uri="s3://bucket/list")])
    job = local.ended()
    assert job["TrainingJobStatus"] == "Failed"
    assert message in job["FailureReason"]


def test_every_host_adds_to_the_model_and_the_first_one_leads(local: LocalJobs) -> None:
    host = '$(sed \'s/.*"current_host": "\\([^"]*\\).*/\\1/\' /opt/ml/input/config/resourceconfig.json)'
    script = f'mkdir /opt/ml/model/part && echo {host} | tee /opt/ml/model/same "/opt/ml/model/part/{host}"'
    local.train(script, hosts=2)
    job = local.ended()
    with tarfile.open(fileobj=io.BytesIO(local.catalog.read(job["ModelArtifacts"]["S3ModelArtifacts"]))) as archive:
        files = [member for member in archive if member.isfile()]
        texts = {member.name: archive.extractfile(member).read().decode().strip() for member in files}  # type: ignore[union-attr]
    first, second = (name.removeprefix("part/") for name in sorted(texts) if name != "same")
    assert texts == {"same": first, f"part/{first}": first, f"part/{second}": second}


def test_a_model_may_be_uploaded_without_compression(local: LocalJobs) -> None:
    output = {"S3OutputPath": "s3://bucket/out", "CompressionType": "NONE"}
    local.train("echo weights > /opt/ml/model/w; echo plot > /opt/ml/output/data/p", OutputDataConfig=output)
    assert local.ended()["ModelArtifacts"] == {"S3ModelArtifacts": "s3://bucket/out/job/output/model/"}
    assert local.texts("out") == {"out/job/output/model/w": "weights\n", "out/job/output/data/p": "plot\n"}


def test_an_unsupported_job_is_refused_and_nothing_of_it_is_stored(local: LocalJobs) -> None:
    with pytest.raises(ServiceError, match=r"does not carry out InputDataConfig\[0\]\.InputMode Pipe"):
        local.train("true", InputDataConfig=[{**channel("train"), "InputMode": "Pipe"}])
    assert local.service.answer("ListTrainingJobs", {})["TrainingJobSummaries"] == []
