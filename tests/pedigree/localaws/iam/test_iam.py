"""IAM is enforced: each role of iam/ may make its calls through unmodified boto3, and gets AWS's message otherwise."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import ACCOUNT, LocalAws
from pedigree.localaws.http.protocol.errors import ServiceError
from pipeline.account.roles import documents
from tests.policies.arns import IN_ACCOUNT, REGION, SAGEMAKER, arn, function, role, sagemaker
from tests.support.definitions import configure
from tests.support.local_aws import client, running_local_aws
from tests.support.pipelines import STATUS, definition
from tests.support.waiting import until

LAMBDA = "lambda.amazonaws.com"
PREFIX = "pedigree/executions/abcdefghijkl"
BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
JOB_ARN = sagemaker("processing-job/job")
RUNNING = sagemaker("pipeline/dog-breeds/execution/abcdefghijkl")
SOURCES = {
    "deploy": (LAMBDA, function("deploy-endpoint")),
    "predict": (LAMBDA, function("predict")),
    "pipeline": (SAGEMAKER, RUNNING),
    "job": (SAGEMAKER, JOB_ARN),
}
ELSEWHERE = {"StringNotEquals": {"aws:RequestedRegion": REGION}}
ANYBODY = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allowing(*actions: str, resource: str = "*") -> Mapping[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    """A local AWS with the roles of iam/, a bucket and a queue."""
    with running_local_aws(tmp_path, enforces_iam=True) as local:
        iam = client(local.url, "iam")
        for name, found in documents(configure(IN_ACCOUNT)).items():
            trust = json.dumps(found.trust)
            iam.create_role(RoleName=f"pedigree-{name}", AssumeRolePolicyDocument=trust)
            policy = json.dumps(found.policy)
            iam.put_role_policy(RoleName=f"pedigree-{name}", PolicyName="policy", PolicyDocument=policy)
        client(local.url, "s3").create_bucket(Bucket=BUCKET)
        client(local.url, "sqs").create_queue(QueueName="dog-breeds-await-endpoint")
        yield local


def with_keys(local: LocalAws, service: str, key: str, secret: str, token: str | None = None) -> Any:
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=local.url,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )


def acting(local: LocalAws, name: str, service: str) -> Any:
    """A client of a process that AWS runs with a role of iam/."""
    given = local.credentials(role(f"pedigree-{name}"), *SOURCES[name])
    return with_keys(
        local, service, given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"], given["AWS_SESSION_TOKEN"]
    )


def assumed(local: LocalAws, name: str, service: str, **more: str) -> Any:
    """A client of a user who has assumed a role."""
    answer = client(local.url, "sts").assume_role(RoleArn=role(name), RoleSessionName="ann", **more)
    given = answer["Credentials"]
    return with_keys(local, service, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def made(local: LocalAws, name: str, *statements: Mapping[str, Any], trust: Mapping[str, Any] = ANYBODY) -> None:
    iam = client(local.url, "iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))


def refused(ask: Callable[[], Any], code: str, status: int) -> str:
    """What a refusal says."""
    with pytest.raises(ClientError) as raised:
        ask()
    response = raised.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    return str(response["Error"]["Message"])


def unallowed(who: str, action: str, resource: str = "") -> str:
    where = f" on resource: {resource}" if resource else ""
    words = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{who} is not authorized to perform: {action}{where}"
    return f"{words} because no identity-based policy allows the {action} action"


def test_the_account_itself_may_do_everything(local: LocalAws) -> None:
    identity = client(local.url, "sts").get_caller_identity()
    assert (identity["Arn"], identity["Account"]) == (ROOT, ACCOUNT)
    client(local.url, "sagemaker").create_model_package_group(ModelPackageGroupName="any")


def test_a_role_may_do_what_it_must(local: LocalAws) -> None:
    deploy = acting(local, "deploy", "sagemaker")
    container = {"Image": "image"}
    tags = [{"Key": "a", "Value": "b"}]
    model, model_role = "dog-breeds-v1-0123456789", role("pedigree-model")
    deploy.create_model(ModelName=model, PrimaryContainer=container, ExecutionRoleArn=model_role, Tags=tags)
    assert deploy.describe_model(ModelName=model)["ModelName"] == model
    assert deploy.list_endpoint_configs()["EndpointConfigs"] == []
    deploy.delete_model(ModelName=model)


def test_each_protocol_refuses_in_its_own_form(local: LocalAws) -> None:
    deploy, who = "pedigree-deploy/SageMaker", sagemaker("model/cats")
    message = refused(
        lambda: acting(local, "deploy", "sagemaker").delete_model(ModelName="cats"), "AccessDeniedException", 400
    )
    assert message == unallowed(deploy, "sagemaker:DeleteModel", who)
    invoke = acting(local, "deploy", "lambda").invoke
    message = refused(lambda: invoke(FunctionName="orders"), "AccessDeniedException", 403)
    assert message == unallowed(deploy, "lambda:InvokeFunction", arn("lambda", "function:orders"))
    message = refused(lambda: acting(local, "deploy", "iam").delete_role(RoleName="pedigree-job"), "AccessDenied", 403)
    assert message == unallowed(deploy, "iam:DeleteRole", role("pedigree-job"))
    message = refused(lambda: acting(local, "deploy", "s3").get_object(Bucket=BUCKET, Key="a"), "AccessDenied", 403)
    assert message == unallowed(deploy, "s3:GetObject", f'"arn:aws:s3:::{BUCKET}/a"')
    refused(lambda: acting(local, "deploy", "s3").head_object(Bucket=BUCKET, Key="a"), "403", 403)
    queue = {"QueueUrl": f"{local.url}/{ACCOUNT}/dog-breeds-await-endpoint"}
    message = refused(lambda: acting(local, "deploy", "sqs").receive_message(**queue), "AccessDenied", 403)
    assert message == unallowed(deploy, "sqs:receivemessage", arn("sqs", "dog-breeds-await-endpoint"))
    message = refused(lambda: acting(local, "deploy", "ec2").describe_instances(), "UnauthorizedOperation", 403)
    assert message.endswith(unallowed(deploy, "ec2:DescribeInstances"))
    acting(local, "deploy", "sqs").send_message(**queue, MessageBody="m")


def test_the_operator_connects_a_queue_with_functions_of_the_pipeline_only(local: LocalAws) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("function.py", "")
    queue = arn("sqs", "dog-breeds-await-endpoint")
    functions = assumed(local, "pedigree-operator", "lambda")
    configuration = {"Runtime": "python3.13", "Handler": "function.handler", "Code": {"ZipFile": code.getvalue()}}
    own = function("await-endpoint").rpartition(":")[2]
    functions.create_function(FunctionName=own, Role=role("pedigree-await"), **configuration)
    mapping = functions.create_event_source_mapping(FunctionName=own, EventSourceArn=queue)["UUID"]
    functions.update_event_source_mapping(UUID=mapping, BatchSize=1)
    client(local.url, "lambda").create_function(FunctionName="orders", Role=role("pedigree-await"), **configuration)
    create = functions.create_event_source_mapping
    message = refused(lambda: create(FunctionName="orders", EventSourceArn=queue), "AccessDeniedException", 403)
    assert message == unallowed("pedigree-operator/ann", "lambda:CreateEventSourceMapping")
    wrong = {**configuration, "FunctionName": own, "Role": role("pedigree-job")}
    message = refused(lambda: functions.create_function(**wrong), "AccessDeniedException", 403)
    assert message == unallowed("pedigree-operator/ann", "iam:PassRole", role("pedigree-job"))


def test_the_data_plane_is_behind_the_gate(local: LocalAws) -> None:
    ask = acting(local, "predict", "sagemaker-runtime").invoke_endpoint
    message = refused(lambda: ask(EndpointName="cats", Body=b"x"), "AccessDeniedException", 403)
    assert message == unallowed("pedigree-predict/SageMaker", "sagemaker:InvokeEndpoint", sagemaker("endpoint/cats"))
    refused(lambda: ask(EndpointName="dog-breeds", Body=b"x"), "ValidationError", 400)


def test_a_role_is_handed_over_by_those_alone_who_may(local: LocalAws) -> None:
    deploy = acting(local, "deploy", "sagemaker")
    container = {"Image": "image"}
    message = refused(
        lambda: deploy.create_model(
            ModelName="dog-breeds-v1", PrimaryContainer=container, ExecutionRoleArn=role("pedigree-job")
        ),
        "AccessDeniedException",
        400,
    )
    assert message == unallowed("pedigree-deploy/SageMaker", "iam:PassRole", role("pedigree-job"))


def test_a_denying_statement_is_reported_as_such(local: LocalAws) -> None:
    denying = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
    made(local, "ann", allowing("s3:*"), denying)
    ann = assumed(local, "ann", "s3")
    ann.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    message = refused(lambda: ann.delete_object(Bucket=BUCKET, Key="k"), "AccessDenied", 403)
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_a_bucket_s_own_policy_counts(local: LocalAws) -> None:
    everything = f"arn:aws:s3:::{BUCKET}/*"
    made(local, "ann", allowing("s3:GetObject"))
    made(local, "ben")
    reading = {"Effect": "Allow", "Principal": {"AWS": role("ben")}, "Action": "s3:PutObject", "Resource": everything}
    denying = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": everything}
    client(local.url, "s3").put_bucket_policy(Bucket=BUCKET, Policy=document(reading, denying))
    assumed(local, "ben", "s3").put_object(Bucket=BUCKET, Key="k", Body=b"x")
    message = refused(lambda: assumed(local, "ann", "s3").get_object(Bucket=BUCKET, Key="k"), "AccessDenied", 403)
    assert message.endswith("with an explicit deny in a resource-based policy")


def test_a_caller_without_trust_does_not_get_a_role(local: LocalAws) -> None:
    with pytest.raises(ServiceError, match=r"Could not assume role .*allows principal .sagemaker\.amazonaws\.com."):
        local.credentials(role("pedigree-deploy"), SAGEMAKER, RUNNING)
    with pytest.raises(ServiceError, match="Could not assume role"):
        local.credentials(role("pedigree-pipeline"), SAGEMAKER, sagemaker("pipeline/cats/execution/a"))
    with pytest.raises(ServiceError, match="Could not assume role"):
        local.credentials(role("never-made"), SAGEMAKER, RUNNING)
    take = client(local.url, "sts").assume_role
    message = refused(lambda: take(RoleArn=role("pedigree-deploy"), RoleSessionName="ann"), "AccessDenied", 403)
    assert (
        message == f"User: {ROOT} is not authorized to perform: sts:AssumeRole on resource: {role('pedigree-deploy')}"
    )


def test_a_session_is_known_by_its_name_and_held_to_its_own_policy(local: LocalAws) -> None:
    made(local, "ann", allowing("s3:*"))
    assert assumed(local, "ann", "sts").get_caller_identity()["Arn"].endswith(":assumed-role/ann/ann")
    narrow = assumed(local, "ann", "s3", Policy=document(allowing("s3:GetObject")))
    message = refused(lambda: narrow.put_object(Bucket=BUCKET, Key="k", Body=b"x"), "AccessDenied", 403)
    assert message.endswith("because no session policy allows the s3:PutObject action")


def test_a_user_has_the_policies_of_its_groups(local: LocalAws) -> None:
    iam = client(local.url, "iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = with_keys(local, "sqs", key["AccessKeyId"], key["SecretAccessKey"])
    message = refused(ann.list_queues, "AccessDenied", 403)
    assert message.startswith(f"User: arn:aws:iam::{ACCOUNT}:user/ann is not authorized to perform: sqs:listqueues")
    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="p", PolicyDocument=document(allowing("sqs:List*")))
    iam.add_user_to_group(GroupName="readers", UserName="ann")
    assert len(ann.list_queues()["QueueUrls"]) == 1
    elsewhere = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": ELSEWHERE}
    own = allowing("iam:GetUser", resource=f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}")
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document(elsewhere, own))
    mine = with_keys(local, "iam", key["AccessKeyId"], key["SecretAccessKey"])
    assert mine.get_user(UserName="ann")["User"]["UserName"] == "ann"
    refused(lambda: mine.get_user(UserName="ben"), "AccessDenied", 403)


def test_a_changed_policy_holds_with_the_next_call(local: LocalAws) -> None:
    made(local, "ann", allowing("s3:ListAllMyBuckets"))
    ann = assumed(local, "ann", "s3")
    assert ann.list_buckets()["Buckets"]
    client(local.url, "iam").delete_role_policy(RoleName="ann", PolicyName="own")
    refused(ann.list_buckets, "AccessDenied", 403)


def test_unknown_keys_are_refused(local: LocalAws) -> None:
    message = refused(with_keys(local, "sagemaker", "AKIANOBODY", "x").list_models, "UnrecognizedClientException", 403)
    assert message == "The security token included in the request is invalid."
    refused(with_keys(local, "iam", "AKIANOBODY", "x").list_roles, "InvalidClientTokenId", 403)
    refused(with_keys(local, "s3", "AKIANOBODY", "x").list_buckets, "InvalidAccessKeyId", 403)


def job(name: str, source: str) -> dict[str, Any]:
    place = {"S3Uri": f"s3://{BUCKET}/{source}", "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"}
    result = {"S3Uri": f"s3://{BUCKET}/{PREFIX}/out", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    command = "cp /opt/ml/processing/in/a /opt/ml/processing/out/a; env > /opt/ml/processing/out/env"
    return {
        "ProcessingJobName": name,
        "RoleArn": role("pedigree-job"),
        "AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": ["/bin/sh", "-c", command]},
        "ProcessingInputs": [{"InputName": "in", "S3Input": place}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": result}]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        },
    }


def ended(local: LocalAws, request: dict[str, Any], status: str) -> Mapping[str, Any]:
    """A job that has run to its end."""
    root = client(local.url, "sagemaker")
    root.create_processing_job(**request)

    def described() -> dict[str, Any]:
        answer: dict[str, Any] = root.describe_processing_job(ProcessingJobName=request["ProcessingJobName"])
        return answer

    until(lambda: described()["ProcessingJobStatus"], status)
    return described()


def test_a_job_reads_and_writes_as_its_role_and_has_its_credentials(local: LocalAws) -> None:
    s3 = client(local.url, "s3")
    s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}/in/a", Body=b"x")
    ended(local, job("job", f"{PREFIX}/in"), "Completed")
    lines = s3.get_object(Bucket=BUCKET, Key=f"{PREFIX}/out/env")["Body"].read().decode().splitlines()
    environment = dict(line.partition("=")[::2] for line in lines)
    assert environment["AWS_ENDPOINT_URL"] == local.url
    keys = (environment[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"))
    arn_of_job = with_keys(local, "sts", *keys).get_caller_identity()["Arn"]
    assert arn_of_job == f"arn:aws:sts::{ACCOUNT}:assumed-role/pedigree-job/SageMaker"


def test_a_job_fails_that_may_not_read_its_channel(local: LocalAws) -> None:
    client(local.url, "s3").put_object(Bucket=BUCKET, Key="elsewhere/a", Body=b"x")
    reason = ended(local, job("job", "elsewhere"), "Failed")["FailureReason"]
    who = "pedigree-job/SageMaker"
    denied = unallowed(who, "s3:ListBucket", f'"arn:aws:s3:::{BUCKET}"')
    forbidden = "Data download failed:failed to download data. 403 Forbidden (403): Forbidden"
    assert reason == f"ClientError: {forbidden} [local AWS] {denied}"


def test_a_job_fails_without_each_of_the_actions_on_its_objects(local: LocalAws) -> None:
    client(local.url, "s3").put_object(Bucket=BUCKET, Key=f"{PREFIX}/in/a", Body=b"x")
    for number, action in enumerate(("s3:GetObject", "s3:PutObject")):
        others = [other for other in ("s3:ListBucket", "s3:GetObject", "s3:PutObject") if other != action]
        policy = document(allowing(*others))
        client(local.url, "iam").put_role_policy(RoleName="pedigree-job", PolicyName="policy", PolicyDocument=policy)
        reason = ended(local, job(f"job-{number}", f"{PREFIX}/in"), "Failed")["FailureReason"]
        assert f"is not authorized to perform: {action} on resource" in reason


def test_a_job_whose_role_cannot_be_taken_is_refused(local: LocalAws) -> None:
    request = {**job("job", f"{PREFIX}/in"), "RoleArn": role("pedigree-deploy")}
    create = client(local.url, "sagemaker").create_processing_job
    assert "Could not assume role" in refused(lambda: create(**request), "ValidationException", 400)


def executed(local: LocalAws, *steps: dict[str, Any]) -> str:
    """An execution of the pipeline."""
    root = client(local.url, "sagemaker")
    root.create_pipeline(
        PipelineName="dog-breeds", PipelineDefinition=definition(*steps), RoleArn=role("pedigree-pipeline")
    )
    return str(root.start_pipeline_execution(PipelineName="dog-breeds")["PipelineExecutionArn"])


def test_an_execution_acts_as_its_role(local: LocalAws) -> None:
    client(local.url, "s3").put_object(Bucket=BUCKET, Key=f"{PREFIX}/in/a", Body=b"x")
    arguments = {key: value for key, value in job("", f"{PREFIX}/in").items() if key != "ProcessingJobName"}
    queue = f"{local.url}/{ACCOUNT}/dog-breeds-await-endpoint"
    run = executed(
        local,
        {"Name": "Work", "Type": "Processing", "Arguments": arguments},
        {"Name": "Wait", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}},
    )
    received: list[dict[str, Any]] = []

    def messages() -> int:
        received.extend(client(local.url, "sqs").receive_message(QueueUrl=queue).get("Messages", []))
        return len(received)

    until(messages, 1)
    root = client(local.url, "sagemaker")
    root.send_pipeline_execution_step_success(CallbackToken=json.loads(received[0]["Body"])["token"])
    until(lambda: root.describe_pipeline_execution(PipelineExecutionArn=run)[STATUS], "Succeeded")


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            {"Type": "Callback", "SqsQueueUrl": f"http://127.0.0.1/{ACCOUNT}/orders", "Arguments": {}},
            unallowed("{session}", "sqs:sendmessage", arn("sqs", "orders")),
        ),
        (
            {"Type": "Lambda", "FunctionArn": arn("lambda", "function:orders"), "Arguments": {}},
            unallowed("{session}", "lambda:InvokeFunction", arn("lambda", "function:orders")),
        ),
        (
            {
                "Type": "Processing",
                "Arguments": {**job("", "in"), "RoleArn": role("pedigree-model")},
            },
            "Failed to invoke sagemaker:CreateProcessingJob. "
            + unallowed("{session}", "iam:PassRole", role("pedigree-model")),
        ),
    ],
)
def test_a_step_fails_that_its_role_may_not_make(local: LocalAws, step: dict[str, Any], words: str) -> None:
    step.get("Arguments", {}).pop("ProcessingJobName", None)
    run = executed(local, {"Name": "Step", **step})
    root = client(local.url, "sagemaker")
    until(lambda: root.describe_pipeline_execution(PipelineExecutionArn=run)[STATUS], "Failed")
    (failed,) = root.list_pipeline_execution_steps(PipelineExecutionArn=run)["PipelineExecutionSteps"]
    session = f"pedigree-pipeline/sagemaker-pipeline-{run.rpartition('/')[2]}-Step"
    assert failed["FailureReason"] == f"ClientError: {words.format(session=session)}"


def test_without_enforcement_every_known_caller_may_do_everything(tmp_path: Path) -> None:
    with running_local_aws(tmp_path) as local:
        given = local.credentials(role("never-made"), SAGEMAKER, RUNNING)
        keys = (given[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"))
        assert with_keys(local, "sagemaker", *keys).list_models()["Models"] == []
        refused(with_keys(local, "sagemaker", "AKIANOBODY", "x").list_models, "UnrecognizedClientException", 403)
