"""Manual changes of an account, and what the next upsert plans to repair them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from steps.site import OWNER
from tests.support.accounts import client, plain_documents
from tests.support.definitions import CODE
from tests.support.fakes.aws import ACCOUNT, REGION

BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
DEPLOY, PREDICT = "sagemaker-dog-breeds-deploy-endpoint", "sagemaker-dog-breeds-predict"
AWAIT = "sagemaker-dog-breeds-await-endpoint"
SCALING = "sagemaker-dog-breeds-configure-autoscaling"
QUEUE = "dog-breeds-await-endpoint"
GROUP = f"/aws/lambda/{PREDICT}"
RULE = "dog-breeds-approved"
NAME = "dog-breeds"  # of the pipeline, its group and its schedule
KEY = f"pedigree/code/{CODE.sha256[:16]}/source.tar.gz"
LINKED = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
EVENTS, LAMBDA, LOGS = (f"arn:aws:{service}:{REGION}:{ACCOUNT}" for service in ("events", "lambda", "logs"))
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

iam, s3, sqs, lambdas, logs, events = (
    partial(client, service) for service in ("iam", "s3", "sqs", "lambda", "logs", "events")
)


def url(name: str = QUEUE) -> str:
    return str(client("sqs").get_queue_url(QueueName=name)["QueueUrl"])


def mapping() -> str:
    return str(client("lambda").list_event_source_mappings()["EventSourceMappings"][0]["UUID"])


def code() -> str:
    return str(client("s3").list_objects_v2(Bucket=BUCKET)["Contents"][0]["Key"])


def other_role() -> None:
    """Put another role into the instance profile, which holds one."""
    profile = {"InstanceProfileName": "pedigree-ec2"}
    client("iam").remove_role_from_instance_profile(**profile, RoleName="pedigree-ec2")
    client("iam").add_role_to_instance_profile(**profile, RoleName="pedigree-model")


def over_tls_from_one_address_only() -> Any:
    """The bucket's policy with one more condition, so that it denies less."""
    document = json.loads(s3().get_bucket_policy(Bucket=BUCKET)["Policy"])
    document["Statement"][0]["Condition"]["IpAddress"] = {"aws:SourceIp": "192.0.2.1"}
    return document


def other_code() -> None:
    content = {"ZipFile": b"PK\x05\x06" + bytes(18)}
    client("lambda").update_function_code(FunctionName=PREDICT, **content)


def remove_role(name: str) -> None:
    client("iam").delete_role_policy(RoleName=name, PolicyName="pedigree")
    client("iam").delete_role(RoleName=name)


def remove_profile() -> None:
    named = {"InstanceProfileName": "pedigree-ec2"}
    client("iam").remove_role_from_instance_profile(**named, RoleName="pedigree-ec2")
    client("iam").delete_instance_profile(**named)


def remove_bucket() -> None:
    found = client("s3").list_object_versions(Bucket=BUCKET)
    for version in (*found.get("Versions", ()), *found.get("DeleteMarkers", ())):
        client("s3").delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    client("s3").delete_bucket(Bucket=BUCKET)


def remove_rule() -> None:
    client("events").remove_targets(Rule=RULE, Ids=["deploy"])
    client("events").delete_rule(Name=RULE)


def for_another_rule() -> None:
    """Give the permission to another rule."""
    named = {"FunctionName": DEPLOY, "Qualifier": "live", "StatementId": "pedigree-approved"}
    client("lambda").remove_permission(**named)
    client("lambda").add_permission(
        **named,
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=f"{EVENTS}:rule/another",
    )


def set_queue(name: str, **attributes: str) -> None:
    client("sqs").set_queue_attributes(QueueUrl=url(name), Attributes=attributes)


def set_schedule(**changes: Any) -> None:
    there = client("scheduler").get_schedule(Name=NAME, GroupName="default")
    written = ("ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target", "State")
    as_it_is = {name: there[name] for name in (*written, "Description", "ActionAfterCompletion")}
    client("scheduler").update_schedule(Name=NAME, GroupName="default", **{**as_it_is, **changes})


def group() -> str:
    found = client("sagemaker").describe_model_package_group(ModelPackageGroupName=NAME)
    return str(found["ModelPackageGroupArn"])


@dataclass(frozen=True)
class ManualChange:
    """A manual change, the change that the plan then has, its reason, and further changes that it needs."""

    does: Callable[[], Any]
    what: str
    why: str = ""
    besides: tuple[str, ...] = ()


MANUAL_CHANGES: dict[str, ManualChange] = {
    "a role's policy": ManualChange(
        lambda: iam().put_role_policy(
            RoleName="pedigree-job", PolicyName="pedigree", PolicyDocument=json.dumps(EVERYTHING)
        ),
        "update role pedigree-job",
        "policy: statement Do is missing",
    ),
    "a role without its policy": ManualChange(
        lambda: iam().delete_role_policy(RoleName="pedigree-model", PolicyName="pedigree"),
        "update role pedigree-model",
        "policy: statement Do is missing",
    ),
    "a role's trust": ManualChange(
        lambda: iam().update_assume_role_policy(
            RoleName="pedigree-deploy", PolicyDocument=json.dumps(plain_documents("ec2").trust)
        ),
        "update role pedigree-deploy",
        "trust: statement Take was changed",
    ),
    "a role's tag": ManualChange(
        lambda: iam().tag_role(RoleName="pedigree-pipeline", Tags=[{"Key": "project", "Value": "mine"}]),
        "update role pedigree-pipeline",
        "tag project is mine, not pedigree",
    ),
    "a role": ManualChange(lambda: remove_role("pedigree-await"), "create role pedigree-await", ""),
    "a profile with another role": ManualChange(
        lambda: other_role(),
        "update instance profile pedigree-ec2",
        "it does not hold role pedigree-ec2",
    ),
    "a profile's tags": ManualChange(
        lambda: iam().tag_instance_profile(
            InstanceProfileName="pedigree-ec2", Tags=[{"Key": "project", "Value": "theirs"}]
        ),
        "update instance profile pedigree-ec2",
        "tag project is theirs, not pedigree",
    ),
    "a public bucket": ManualChange(
        lambda: s3().delete_public_access_block(Bucket=BUCKET),
        f"update bucket {BUCKET}",
        "public access differs from the settings",
    ),
    "a bucket that forgets": ManualChange(
        lambda: s3().put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}),
        f"update bucket {BUCKET}",
        "versioning differs from the settings",
    ),
    "a bucket's lifecycle": ManualChange(
        lambda: s3().delete_bucket_lifecycle(Bucket=BUCKET),
        f"update bucket {BUCKET}",
        "lifecycle differs from the settings",
    ),
    "a weaker policy of the bucket": ManualChange(
        lambda: s3().put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(over_tls_from_one_address_only())),
        f"update bucket {BUCKET}",
        "policy differs from the settings",
    ),
    "a second mapping": ManualChange(
        lambda: lambdas().create_event_source_mapping(
            FunctionName=f"{LAMBDA}:function:{AWAIT}", EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{QUEUE}"
        ),
        f"delete event source {QUEUE} to {LAMBDA}:function:{AWAIT}",
        "one is enough",
    ),
    "a queue's time-out": ManualChange(
        lambda: sqs().set_queue_attributes(QueueUrl=url(), Attributes={"VisibilityTimeout": "5"}),
        f"update queue {QUEUE}",
        "VisibilityTimeout is 5, not 60",
    ),
    "a queue without its tags": ManualChange(
        lambda: sqs().untag_queue(QueueUrl=url(), TagKeys=["project", OWNER]),
        f"update queue {QUEUE}",
        "tag project is missing",
    ),
    "a function's memory": ManualChange(
        lambda: lambdas().update_function_configuration(FunctionName=PREDICT, MemorySize=512),
        f"update function {PREDICT}",
        "MemorySize is 512, not 256",
    ),
    "a function's environment": ManualChange(
        lambda: lambdas().update_function_configuration(FunctionName=DEPLOY, Environment={"Variables": {"DEBUG": "1"}}),
        f"update function {DEPLOY}",
        "environment variable DEBUG is not ours",
    ),
    "a function's tags": ManualChange(
        lambda: lambdas().untag_resource(Resource=f"{LAMBDA}:function:{PREDICT}", TagKeys=["project"]),
        f"update function {PREDICT}",
        "tag project is missing",
    ),
    "an alias": ManualChange(
        lambda: lambdas().delete_alias(FunctionName=SCALING, Name="live"),
        f"create alias {SCALING}:live",
        "",
    ),
    "a split alias": ManualChange(
        lambda: lambdas().update_alias(
            FunctionName=PREDICT, Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}}
        ),
        f"update alias {PREDICT}:live",
        "it is split among versions",
    ),
    "reserved concurrency": ManualChange(
        lambda: lambdas().put_function_concurrency(FunctionName=DEPLOY, ReservedConcurrentExecutions=3),
        f"update reserved concurrency {DEPLOY}",
        "3 set aside, not 0",
    ),
    "provisioned concurrency": ManualChange(
        lambda: lambdas().delete_provisioned_concurrency_config(FunctionName=PREDICT, Qualifier="live"),
        f"update provisioned concurrency {PREDICT}:live",
        "0 kept warm, not 2",
    ),
    "warm environments that settings do not ask for": ManualChange(
        lambda: lambdas().put_provisioned_concurrency_config(
            FunctionName=DEPLOY, Qualifier="live", ProvisionedConcurrentExecutions=1
        ),
        f"update provisioned concurrency {DEPLOY}:live",
        "1 kept warm, not 0",
    ),
    "a mapping that is off": ManualChange(
        lambda: lambdas().update_event_source_mapping(UUID=mapping(), Enabled=False),
        f"update event source {QUEUE}",
        "it is switched off",
    ),
    "a mapping's batch": ManualChange(
        lambda: lambdas().update_event_source_mapping(UUID=mapping(), BatchSize=1),
        f"update event source {QUEUE}",
        "BatchSize is 1, not 10",
    ),
    "a mapping's tags": ManualChange(
        lambda: lambdas().untag_resource(Resource=f"{LAMBDA}:event-source-mapping:{mapping()}", TagKeys=["project"]),
        f"update event source {QUEUE}",
        "tag project is missing",
    ),
    "a log group that keeps for ever": ManualChange(
        lambda: logs().delete_retention_policy(logGroupName=GROUP),
        f"update log group {GROUP}",
        "retentionInDays is not set, not 30",
    ),
    "a log group's tags": ManualChange(
        lambda: logs().untag_resource(resourceArn=f"{LOGS}:log-group:{GROUP}", tagKeys=["project"]),
        f"update log group {GROUP}",
        "tag project is missing",
    ),
    "a log group": ManualChange(
        lambda: logs().delete_log_group(logGroupName=f"/aws/lambda/{DEPLOY}"),
        f"create log group /aws/lambda/{DEPLOY}",
        "",
    ),
    "a rule's pattern": ManualChange(
        lambda: events().put_rule(Name=RULE, EventPattern=json.dumps({"source": ["aws.sagemaker"]})),
        f"update rule {RULE}",
        "its event pattern differs",
    ),
    "a rule that sleeps": ManualChange(
        lambda: events().disable_rule(Name=RULE),
        f"update rule {RULE}",
        "State is DISABLED, not ENABLED",
    ),
    "a rule's target": ManualChange(
        lambda: events().remove_targets(Rule=RULE, Ids=["deploy"]),
        f"update rule {RULE}",
        "its target differs",
    ),
    "a rule without its tags": ManualChange(
        lambda: events().untag_resource(ResourceARN=f"{EVENTS}:rule/{RULE}", TagKeys=["project"]),
        f"update rule {RULE}",
        "tag project is missing",
    ),
    "a permission": ManualChange(
        lambda: lambdas().remove_permission(FunctionName=DEPLOY, Qualifier="live", StatementId="pedigree-approved"),
        f"create permission {RULE} on {DEPLOY}",
        "",
    ),
    "a permission of another rule": ManualChange(
        lambda: for_another_rule(), f"update permission {RULE} on {DEPLOY}", "it was changed"
    ),
    "a profile": ManualChange(lambda: remove_profile(), "create instance profile pedigree-ec2"),
    "the service-linked role": ManualChange(
        lambda: iam().delete_service_linked_role(RoleName=LINKED), f"create service-linked role {LINKED}"
    ),
    "a bucket without encryption": ManualChange(
        lambda: s3().delete_bucket_encryption(Bucket=BUCKET),
        f"update bucket {BUCKET}",
        "encryption differs from the settings",
    ),
    "a bucket without its tags": ManualChange(
        lambda: s3().delete_bucket_tagging(Bucket=BUCKET),
        f"update bucket {BUCKET}",
        "tags differs from the settings",
    ),
    "the code": ManualChange(lambda: s3().delete_object(Bucket=BUCKET, Key=code()), f"create code {KEY}"),
    "other code under its name": ManualChange(
        lambda: s3().put_object(Bucket=BUCKET, Key=code(), Body=b"else"),
        f"update code {KEY}",
        "the object has other content",
    ),
    "a bucket": ManualChange(lambda: remove_bucket(), f"create bucket {BUCKET}", "", (f"create code {KEY}",)),
    "a queue": ManualChange(lambda: sqs().delete_queue(QueueUrl=url()), f"create queue {QUEUE}"),
    "a queue that anybody reads in clear": ManualChange(
        lambda: set_queue(QUEUE, SqsManagedSseEnabled="false"),
        f"update queue {QUEUE}",
        "SqsManagedSseEnabled is false, not true",
    ),
    "a queue without dead letters": ManualChange(lambda: set_queue(QUEUE, RedrivePolicy=""), f"update queue {QUEUE}"),
    "a queue of dead letters": ManualChange(
        lambda: set_queue(f"{QUEUE}-dead", MessageRetentionPeriod="60"),
        f"update queue {QUEUE}-dead",
        "MessageRetentionPeriod is 60, not 1209600",
    ),
    "a function": ManualChange(
        lambda: lambdas().delete_function(FunctionName=SCALING),
        f"create function {SCALING}",
        "",
        (f"create alias {SCALING}:live",),
    ),
    "a function's code": ManualChange(lambda: other_code(), f"update function {PREDICT}", "the code differs"),
    "a mapping": ManualChange(
        lambda: lambdas().delete_event_source_mapping(UUID=mapping()), f"create event source {QUEUE}"
    ),
    "a rule": ManualChange(lambda: remove_rule(), f"create rule {RULE}"),
    "a group": ManualChange(
        lambda: client("sagemaker").delete_model_package_group(ModelPackageGroupName=NAME), f"create model group {NAME}"
    ),
    "a group's tags": ManualChange(
        lambda: client("sagemaker").delete_tags(ResourceArn=group(), TagKeys=["project"]),
        f"update model group {NAME}",
        "tag project is missing",
    ),
    "a pipeline's definition": ManualChange(
        lambda: client("sagemaker").update_pipeline(
            PipelineName=NAME, PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": []})
        ),
        f"update pipeline {NAME}",
    ),
    "a pipeline's description": ManualChange(
        lambda: client("sagemaker").update_pipeline(PipelineName=NAME, PipelineDescription="Mine."),
        f"update pipeline {NAME}",
        "PipelineDescription is Mine., not From a folder of images to a deployed, autoscaled classifier.",
    ),
    "a pipeline's tags": ManualChange(
        lambda: client("sagemaker").add_tags(
            ResourceArn=client("sagemaker").describe_pipeline(PipelineName=NAME)["PipelineArn"],
            Tags=[{"Key": "project", "Value": "mine"}],
        ),
        f"update pipeline {NAME}",
        "tag project is mine, not pedigree",
    ),
    "a pipeline": ManualChange(
        lambda: client("sagemaker").delete_pipeline(PipelineName=NAME, ClientRequestToken="t" * 32),
        f"create pipeline {NAME}",
    ),
    "a schedule's times": ManualChange(
        lambda: set_schedule(ScheduleExpression="rate(1 minutes)"), f"update schedule {NAME}"
    ),
    "a schedule": ManualChange(lambda: client("scheduler").delete_schedule(Name=NAME), f"create schedule {NAME}"),
    "a schedule's dead letters": ManualChange(
        lambda: sqs().delete_queue(QueueUrl=url(f"{NAME}-schedule-dead")), f"create queue {NAME}-schedule-dead"
    ),
}


def independent_rounds() -> list[list[ManualChange]]:
    """All changes in rounds; in a round no two are about the same thing, so they can be made together."""
    found: list[dict[str, ManualChange]] = []
    for change in MANUAL_CHANGES.values():
        thing = change.what.split(" ", 1)[1]
        free = next((changes for changes in found if thing not in changes), None)
        if free is None:
            found.append({thing: change})
        else:
            free[thing] = change
    return [list(changes.values()) for changes in found]
