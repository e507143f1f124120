"""Jobs reach the local AWS by AWS's own host names, too: what a script asks for does not leave the machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pedigree.localaws.daemon import ACCOUNT
from tests.support.local_aws import client, running_local_aws
from tests.support.waiting import until

ASK = (
    "import os, boto3; os.environ.pop('AWS_ENDPOINT_URL'); region = os.environ['AWS_REGION']; "
    "[print(boto3.client('sts', region, endpoint_url=url).get_caller_identity()['Arn'])"
    " for url in ('https://sts.amazonaws.com', None)]"
)


@pytest.mark.parametrize("uses_namespaces", [True, False])
def test_a_job_asks_sts_by_its_own_names(tmp_path: Path, *, uses_namespaces: bool) -> None:
    options = {"container": Path(sys.prefix), "is_offline": True, "uses_namespaces": uses_namespaces}
    with running_local_aws(tmp_path / "aws", **options) as local:
        sagemaker, logs = client(local.url, "sagemaker"), client(local.url, "logs")
        resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        sagemaker.create_processing_job(
            ProcessingJobName="job",
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/job",
            AppSpecification={"ImageUri": "image", "ContainerEntrypoint": ["python", "-c", ASK]},
            ProcessingResources={"ClusterConfig": resources},
        )
        until(lambda: sagemaker.describe_processing_job(ProcessingJobName="job")["ProcessingJobStatus"] != "InProgress")
        said = [
            event["message"] for event in logs.filter_log_events(logGroupName="/aws/sagemaker/ProcessingJobs")["events"]
        ]
        assert said[-2:] == [f"arn:aws:sts::{ACCOUNT}:assumed-role/job/SageMaker"] * 2, said
