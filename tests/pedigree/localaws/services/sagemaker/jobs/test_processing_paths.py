"""Where the inputs of a processing job are put."""

from __future__ import annotations

import pytest

from pedigree.localaws.http.protocol.errors import ServiceError
from tests.support.job_runner import ROLE, LocalJobs


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["/opt/ml/input/data"], "begins with /opt/ml/processing/"),
        (["/opt/ml/processing/in", "/opt/ml/processing/in/"], "each needs one of its own"),
    ],
)
def test_the_inputs_of_a_processing_job_have_paths_of_their_own(
    local: LocalJobs, paths: list[str], message: str
) -> None:
    place = {"S3Uri": "s3://bucket/in/", "S3DataType": "S3Prefix"}
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    request = {
        "ProcessingJobName": "job",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": ["true"]},
        "ProcessingInputs": [
            {"InputName": f"in{index}", "S3Input": {**place, "LocalPath": path}} for index, path in enumerate(paths)
        ],
        "ProcessingResources": {"ClusterConfig": cluster},
    }
    with pytest.raises(ServiceError, match=message):
        local.service.answer("CreateProcessingJob", request)
