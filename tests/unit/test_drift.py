"""What somebody changed by hand is named in the plan, and is as settings have it afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operations.plan import Plan
from steps.site import OWNER
from tests.accounts import Watched, account, brought_about, client, parts, rights, state, told, whys
from tests.fakes.aws import ACCOUNT, REGION

pytestmark = pytest.mark.usefixtures("made_account")
BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
DEPLOY, PREDICT = "sagemaker-dog-breeds-deploy-endpoint", "sagemaker-dog-breeds-predict"
SCALING = "sagemaker-dog-breeds-configure-autoscaling"
QUEUE = "dog-breeds-await-endpoint"
GROUP = f"/aws/lambda/{PREDICT}"
RULE = "dog-breeds-approved"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

Hand = Callable[[], Any]


def url() -> str:
    return str(client("sqs").get_queue_url(QueueName=QUEUE)["QueueUrl"])


def mapping() -> str:
    return str(client("lambda").list_event_source_mappings()["EventSourceMappings"][0]["UUID"])


def code() -> str:
    return str(client("s3").list_objects_v2(Bucket=BUCKET)["Contents"][0]["Key"])


def other_code() -> None:
    content = {"ZipFile": b"PK\x05\x06" + bytes(18)}
    client("lambda").update_function_code(FunctionName=PREDICT, **content)


HANDS: dict[str, tuple[Hand, str]] = {
    "a role's policy": (
        lambda: client("iam").put_role_policy(
            RoleName="pedigree-job", PolicyName="pedigree", PolicyDocument=json.dumps(EVERYTHING)
        ),
        "policy: statement Do is missing",
    ),
    "a role without its policy": (
        lambda: client("iam").delete_role_policy(RoleName="pedigree-model", PolicyName="pedigree"),
        "policy: statement Do is missing",
    ),
    "a role's trust": (
        lambda: client("iam").update_assume_role_policy(
            RoleName="pedigree-deploy", PolicyDocument=json.dumps(rights("ec2").trust)
        ),
        "trust: statement Take was changed",
    ),
    "a role's tag": (
        lambda: client("iam").tag_role(RoleName="pedigree-pipeline", Tags=[{"Key": "project", "Value": "mine"}]),
        "tag project is mine, not pedigree",
    ),
    "a role": (lambda: remove_role("pedigree-await"), "create role pedigree-await"),
    "an empty instance profile": (
        lambda: client("iam").remove_role_from_instance_profile(
            InstanceProfileName="pedigree-ec2", RoleName="pedigree-ec2"
        ),
        "it does not hold role pedigree-ec2",
    ),
    "a public bucket": (
        lambda: client("s3").delete_public_access_block(Bucket=BUCKET),
        "public access is not as settings have it",
    ),
    "a bucket's policy": (
        lambda: client("s3").delete_bucket_policy(Bucket=BUCKET),
        "policy is not as settings have it",
    ),
    "a bucket that forgets": (
        lambda: client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}),
        "versioning is not as settings have it",
    ),
    "a bucket's lifecycle": (
        lambda: client("s3").delete_bucket_lifecycle(Bucket=BUCKET),
        "lifecycle is not as settings have it",
    ),
    "another encryption": (
        lambda: client("s3").put_bucket_encryption(
            Bucket=BUCKET,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
            },
        ),
        "encryption is not as settings have it",
    ),
    "a queue's time-out": (
        lambda: client("sqs").set_queue_attributes(QueueUrl=url(), Attributes={"VisibilityTimeout": "5"}),
        "VisibilityTimeout is 5, not 60",
    ),
    "a queue without its tags": (
        lambda: client("sqs").untag_queue(QueueUrl=url(), TagKeys=["project", OWNER]),
        "tag project is missing",
    ),
    "a function's memory": (
        lambda: client("lambda").update_function_configuration(FunctionName=PREDICT, MemorySize=512),
        "MemorySize is 512, not 256",
    ),
    "a function's environment": (
        lambda: client("lambda").update_function_configuration(
            FunctionName=DEPLOY, Environment={"Variables": {"DEBUG": "1"}}
        ),
        "environment variable DEBUG is not ours",
    ),
    "a function's tags": (
        lambda: client("lambda").untag_resource(
            Resource=client("lambda").get_function(FunctionName=PREDICT)["Configuration"]["FunctionArn"],
            TagKeys=["project"],
        ),
        "tag project is missing",
    ),
    "an alias": (
        lambda: client("lambda").delete_alias(FunctionName=SCALING, Name="live"),
        f"create alias {SCALING}:live",
    ),
    "a split alias": (
        lambda: client("lambda").update_alias(
            FunctionName=PREDICT, Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}}
        ),
        "it is split among versions",
    ),
    "reserved concurrency": (
        lambda: client("lambda").put_function_concurrency(FunctionName=DEPLOY, ReservedConcurrentExecutions=3),
        "3 set aside, not 0",
    ),
    "provisioned concurrency": (
        lambda: client("lambda").delete_provisioned_concurrency_config(FunctionName=PREDICT, Qualifier="live"),
        "0 kept warm, not 2",
    ),
    "a mapping that is off": (
        lambda: client("lambda").update_event_source_mapping(UUID=mapping(), Enabled=False),
        "it is switched off",
    ),
    "a mapping's batch": (
        lambda: client("lambda").update_event_source_mapping(UUID=mapping(), BatchSize=1),
        "BatchSize is 1, not 10",
    ),
    "a second mapping": (
        lambda: client("lambda").create_event_source_mapping(
            FunctionName=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{DEPLOY}",
            EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{QUEUE}",
        ),
        "one is enough",
    ),
    "a log group that keeps for ever": (
        lambda: client("logs").delete_retention_policy(logGroupName=GROUP),
        "retentionInDays is not set, not 30",
    ),
    "a log group": (
        lambda: client("logs").delete_log_group(logGroupName=f"/aws/lambda/{DEPLOY}"),
        f"create log group /aws/lambda/{DEPLOY}",
    ),
    "a rule's pattern": (
        lambda: client("events").put_rule(Name=RULE, EventPattern=json.dumps({"source": ["aws.sagemaker"]})),
        "it hears other events",
    ),
    "a rule that sleeps": (lambda: client("events").disable_rule(Name=RULE), "State is DISABLED, not ENABLED"),
    "a rule's target": (
        lambda: client("events").remove_targets(Rule=RULE, Ids=["deploy"]),
        "it calls something else",
    ),
    "a permission": (
        lambda: client("lambda").remove_permission(
            FunctionName=DEPLOY, Qualifier="live", StatementId="pedigree-approved"
        ),
        f"create permission {RULE} on {DEPLOY}",
    ),
}  # fmt: skip


def remove_role(name: str) -> None:
    client("iam").delete_role_policy(RoleName=name, PolicyName="pedigree")
    client("iam").delete_role(RoleName=name)


@pytest.fixture(scope="module")
def repaired(made_account: None, handlers: Path) -> tuple[Plan, Any, Any]:
    """Everything changed at once, and upserted: what the plan said, and the account before and after."""
    before = state()
    for meddle, _ in HANDS.values():
        meddle()
    done = brought_about(parts(handlers), account())
    return done, before, state()


@pytest.mark.parametrize("hand", HANDS)
def test_it_is_named(hand: str, repaired: tuple[Plan, Any, Any]) -> None:
    planned, *_ = repaired
    assert HANDS[hand][1] in [*told(planned), *whys(planned)]


def test_it_is_mended(repaired: tuple[Plan, Any, Any]) -> None:
    _, before, after = repaired
    for kind, there in before.items():
        assert after[kind] == there, kind


def test_other_code_under_our_name_is_replaced(handlers: Path) -> None:
    client("s3").put_object(Bucket=BUCKET, Key=code(), Body=b"something else")
    assert whys(brought_about(parts(handlers, only="Archive"), account())) == ["what lies there is something else"]


def test_a_function_with_other_code_gets_ours_back_and_serves_it(handlers: Path) -> None:
    ours = client("lambda").get_function(FunctionName=PREDICT)["Configuration"]["CodeSha256"]
    other_code()
    client("lambda").publish_version(FunctionName=PREDICT)
    client("lambda").update_alias(FunctionName=PREDICT, Name="live", FunctionVersion="2")
    assert "the code is another" in whys(brought_about(parts(handlers, only="Function"), account()))
    served = client("lambda").get_function(FunctionName=PREDICT, Qualifier="live")
    assert served["Configuration"]["CodeSha256"] == ours


def test_what_is_not_ours_to_mend_is_not_looked_at(handlers: Path) -> None:
    """A second policy on a role, a further target of the rule: somebody wanted them."""
    client("iam").put_role_policy(RoleName="pedigree-job", PolicyName="more", PolicyDocument=json.dumps(EVERYTHING))
    client("events").put_targets(
        Rule=RULE, Targets=[{"Id": "tell", "Arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:approvals"}]
    )
    watched = Watched()
    brought_about(parts(handlers), account(watched))
    assert watched.writing() == []
