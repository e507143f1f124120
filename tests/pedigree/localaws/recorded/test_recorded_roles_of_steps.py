"""What AWS recorded about a pipeline's role: the session of each step and what it needs; and about who starts it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pedigree.localaws.daemon import ACCOUNT, LocalAws
from tests.support.local_aws import arn, client, running_local_aws
from tests.support.pipelines import ROLE, STATUS, definition, processing_step
from tests.support.users import allowing, denying, document, made_user, user_client
from tests.support.waiting import until

TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
BY_ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312"
ARTIFACT = "s3://artifacts/v1/model.tar.gz"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), enforces_iam=True) as local:
        trust = document(TRUST, BY_ROOT)
        client(local.url, "iam").create_role(RoleName="pipeline", AssumeRolePolicyDocument=trust)
        yield local


def may(local: LocalAws, *statements: Mapping[str, Any]) -> None:
    """Give the pipeline's role a policy, instead of the one that it had."""
    policy = document(*statements)
    client(local.url, "iam").put_role_policy(RoleName="pipeline", PolicyName="own", PolicyDocument=policy)


def executed(local: LocalAws, name: str, *steps: dict[str, Any]) -> str:
    """The execution of a pipeline, when it has ended."""
    sagemaker = client(local.url, "sagemaker")
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition(*steps), RoleArn=ROLE)
    run = str(sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"])
    until(lambda: sagemaker.describe_pipeline_execution(PipelineExecutionArn=run)[STATUS] != "Executing")
    return run


def only_step(local: LocalAws, run: str) -> dict[str, Any]:
    (step,) = client(local.url, "sagemaker").list_pipeline_execution_steps(PipelineExecutionArn=run)[
        "PipelineExecutionSteps"
    ]
    return dict(step)


def registration(name: str) -> dict[str, Any]:
    containers = [{"Image": IMAGE, "ModelDataUrl": ARTIFACT}]
    specification = {"Containers": containers, "SupportedContentTypes": ["a/b"], "SupportedResponseMIMETypes": ["a/b"]}
    arguments = {"ModelPackageGroupName": "churn", "InferenceSpecification": specification}
    return {"Name": name, "Type": "RegisterModel", "Arguments": arguments}


def unallowed(run: str, step: str, action: str, resource: str) -> str:
    session = f"pipeline/sagemaker-pipeline-{run.rpartition('/')[2]}-{step}"
    return (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{session} is not authorized to perform: {action} on resource: "
        f"{resource} because no identity-based policy allows the {action} action"
    )


# a log of 2026: the pipeline tags whatever a step creates, though the definition has no tags
def test_p14_a_job_of_a_step_is_created_with_a_tag_and_the_role_must_be_allowed_to_add_it(local: LocalAws) -> None:
    jobs, passing = ("sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob"), "iam:PassRole"
    may(local, allowing(*jobs, passing))
    run = executed(local, "untagged", processing_step("Preprocess", "true"))
    reason = only_step(local, run)["FailureReason"]
    job = reason.partition(":processing-job/")[2].partition(" ")[0]
    assert job.startswith(f"pipelines-{run.rpartition('/')[2]}-Preprocess-")
    words = unallowed(run, "Preprocess", "sagemaker:AddTags", arn("sagemaker", f"processing-job/{job}"))
    assert reason == f"ClientError: Failed to invoke sagemaker:CreateProcessingJob. {words}"
    may(local, allowing(*jobs, passing, "sagemaker:AddTags"))
    run = executed(local, "tagged", processing_step("Preprocess", "true"))
    made = only_step(local, run)["Metadata"]["ProcessingJob"]["Arn"]
    tag = {"Key": "sagemaker:pipeline-execution-arn", "Value": run}
    assert client(local.url, "sagemaker").list_tags(ResourceArn=made)["Tags"] == [tag]


# the same log: the group of a version is created each time, and its step's name is cut in the session's
def test_p14_a_version_needs_its_group_to_be_created_and_tagged(local: LocalAws) -> None:
    group = arn("sagemaker", "model-package-group/churn")
    may(local, allowing("sagemaker:*", "s3:GetObject"), denying("sagemaker:AddTags"))
    run = executed(local, "ungrouped", registration("RegisterChallenger-RegisterModel"))
    session = f"pipeline/sagemaker-pipeline-{run.rpartition('/')[2]}-RegisterChallenger-R"
    assert only_step(local, run)["FailureReason"] == (
        "ClientError: Failed to invoke sagemaker:CreateModelPackageGroup. "
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{session} is not authorized to perform: sagemaker:AddTags "
        f"on resource: {group} with an explicit deny in an identity-based policy"
    )


# a comment in a public Terraform module, 2026
def test_p16_a_version_is_registered_only_if_the_role_may_read_its_artifact(local: LocalAws) -> None:
    may(local, allowing("sagemaker:*"))
    run = executed(local, "unread", registration("Register"))
    assert only_step(local, run)["FailureReason"] == (
        "ClientError: Failed to invoke sagemaker:CreateModelPackage. Error Details: "
        "Access denied for bucket: artifacts, object key: v1/model.tar.gz"
    )
    may(local, allowing("sagemaker:*", "s3:GetObject"))
    run = executed(local, "read", registration("Register"))
    assert only_step(local, run)["Metadata"]["RegisterModel"]["Arn"].endswith(":model-package/churn/1")


# aws-samples/amazon-sagemaker-pipelines-serial-batch-inference-sklearn-pytorch, the notebook of PyTorch, cell 37
def test_e19_a_version_says_which_step_of_which_execution_made_it(local: LocalAws) -> None:
    may(local, allowing("sagemaker:*", "s3:GetObject"))
    run = executed(local, "made", registration("PyTorchPipelineModel"))
    version = only_step(local, run)["Metadata"]["RegisterModel"]["Arn"]
    answer = client(local.url, "sagemaker").describe_model_package(ModelPackageName=version)
    session = f"sagemaker-pipeline-{run.rpartition('/')[2]}-PyTorchPipelineModel"
    role_id = client(local.url, "iam").get_role(RoleName="pipeline")["Role"]["RoleId"]
    assert answer["CreatedBy"] == {
        "IamIdentity": {
            "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/pipeline/{session}",
            "PrincipalId": f"{role_id}:{session}",
        }
    }
    assert answer["MetadataProperties"] == {"GeneratedBy": run}


# two executions of 2022 and 2024
def test_p25_an_execution_says_which_identity_started_it(local: LocalAws) -> None:
    key = made_user(local, "ann", allowing("sts:AssumeRole"))
    may(local, allowing("sagemaker:*", "iam:PassRole"))
    given = user_client(local, "sts", key).assume_role(RoleArn=ROLE, RoleSessionName="me")["Credentials"]
    sagemaker = user_client(local, "sagemaker", given)
    gate = {"Name": "Gate", "Type": "Condition", "Arguments": {"Conditions": [], "IfSteps": [], "ElseSteps": []}}
    sagemaker.create_pipeline(PipelineName="mine", PipelineDefinition=definition(gate), RoleArn=ROLE)
    by_role = sagemaker.start_pipeline_execution(PipelineName="mine")["PipelineExecutionArn"]
    by_root = client(local.url, "sagemaker").start_pipeline_execution(PipelineName="mine")["PipelineExecutionArn"]
    role_id = client(local.url, "iam").get_role(RoleName="pipeline")["Role"]["RoleId"]
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/pipeline/me"
    identity = {"IamIdentity": {"Arn": session, "PrincipalId": f"{role_id}:me"}}
    for answer, who in (
        (sagemaker.describe_pipeline(PipelineName="mine"), identity),
        (sagemaker.describe_pipeline_execution(PipelineExecutionArn=by_role), identity),
        (sagemaker.describe_pipeline_execution(PipelineExecutionArn=by_root), {}),
    ):
        assert (answer["CreatedBy"], answer["LastModifiedBy"]) == (who, who)
