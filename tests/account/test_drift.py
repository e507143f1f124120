"""What somebody changed by hand is named in the plan, and is as settings have it afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from operations.plan import Plan, plan
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
EVENTS, LAMBDA, LOGS = (f"arn:aws:{service}:{REGION}:{ACCOUNT}" for service in ("events", "lambda", "logs"))
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

Hand = Callable[[], Any]
iam, s3, sqs, lambdas, logs, events = (
    partial(client, service) for service in ("iam", "s3", "sqs", "lambda", "logs", "events")
)


def url() -> str:
    return str(client("sqs").get_queue_url(QueueName=QUEUE)["QueueUrl"])


def mapping() -> str:
    return str(client("lambda").list_event_source_mappings()["EventSourceMappings"][0]["UUID"])


def code() -> str:
    return str(client("s3").list_objects_v2(Bucket=BUCKET)["Contents"][0]["Key"])


def other_role() -> None:
    """A profile holds one role."""
    profile = {"InstanceProfileName": "pedigree-ec2"}
    client("iam").remove_role_from_instance_profile(**profile, RoleName="pedigree-ec2")
    client("iam").add_role_to_instance_profile(**profile, RoleName="pedigree-model")


def over_tls_from_one_address_only() -> Any:
    """Our statement, with a condition more."""
    document = json.loads(s3().get_bucket_policy(Bucket=BUCKET)["Policy"])
    document["Statement"][0]["Condition"]["IpAddress"] = {"aws:SourceIp": "192.0.2.1"}
    return document


def other_code() -> None:
    content = {"ZipFile": b"PK\x05\x06" + bytes(18)}
    client("lambda").update_function_code(FunctionName=PREDICT, **content)


# What somebody does, and what the plan then says of what.
HANDS: dict[str, tuple[Hand, str, str]] = {
    "a role's policy": (
        lambda: iam().put_role_policy(
            RoleName="pedigree-job", PolicyName="pedigree", PolicyDocument=json.dumps(EVERYTHING)
        ),
        "update role pedigree-job",
        "policy: statement Do is missing",
    ),
    "a role without its policy": (
        lambda: iam().delete_role_policy(RoleName="pedigree-model", PolicyName="pedigree"),
        "update role pedigree-model",
        "policy: statement Do is missing",
    ),
    "a role's trust": (
        lambda: iam().update_assume_role_policy(
            RoleName="pedigree-deploy", PolicyDocument=json.dumps(rights("ec2").trust)
        ),
        "update role pedigree-deploy",
        "trust: statement Take was changed",
    ),
    "a role's tag": (
        lambda: iam().tag_role(RoleName="pedigree-pipeline", Tags=[{"Key": "project", "Value": "mine"}]),
        "update role pedigree-pipeline",
        "tag project is mine, not pedigree",
    ),
    "a role": (lambda: remove_role("pedigree-await"), "create role pedigree-await", ""),
    "a profile with another role": (
        lambda: other_role(),
        "update instance profile pedigree-ec2",
        "it does not hold role pedigree-ec2",
    ),
    "a profile's tags": (
        lambda: iam().tag_instance_profile(
            InstanceProfileName="pedigree-ec2", Tags=[{"Key": "project", "Value": "theirs"}]
        ),
        "update instance profile pedigree-ec2",
        "tag project is theirs, not pedigree",
    ),
    "a public bucket": (
        lambda: s3().delete_public_access_block(Bucket=BUCKET),
        f"update bucket {BUCKET}",
        "public access is not as settings have it",
    ),
    "a bucket that forgets": (
        lambda: s3().put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}),
        f"update bucket {BUCKET}",
        "versioning is not as settings have it",
    ),
    "a bucket's lifecycle": (
        lambda: s3().delete_bucket_lifecycle(Bucket=BUCKET),
        f"update bucket {BUCKET}",
        "lifecycle is not as settings have it",
    ),
    "a weaker policy of the bucket": (
        lambda: s3().put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(over_tls_from_one_address_only())),
        f"update bucket {BUCKET}",
        "policy is not as settings have it",
    ),
    "a queue's time-out": (
        lambda: sqs().set_queue_attributes(QueueUrl=url(), Attributes={"VisibilityTimeout": "5"}),
        f"update queue {QUEUE}",
        "VisibilityTimeout is 5, not 60",
    ),
    "a queue without its tags": (
        lambda: sqs().untag_queue(QueueUrl=url(), TagKeys=["project", OWNER]),
        f"update queue {QUEUE}",
        "tag project is missing",
    ),
    "a function's memory": (
        lambda: lambdas().update_function_configuration(FunctionName=PREDICT, MemorySize=512),
        f"update function {PREDICT}",
        "MemorySize is 512, not 256",
    ),
    "a function's environment": (
        lambda: lambdas().update_function_configuration(FunctionName=DEPLOY, Environment={"Variables": {"DEBUG": "1"}}),
        f"update function {DEPLOY}",
        "environment variable DEBUG is not ours",
    ),
    "a function's tags": (
        lambda: lambdas().untag_resource(Resource=f"{LAMBDA}:function:{PREDICT}", TagKeys=["project"]),
        f"update function {PREDICT}",
        "tag project is missing",
    ),
    "an alias": (
        lambda: lambdas().delete_alias(FunctionName=SCALING, Name="live"),
        f"create alias {SCALING}:live",
        "",
    ),
    "a split alias": (
        lambda: lambdas().update_alias(
            FunctionName=PREDICT, Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}}
        ),
        f"update alias {PREDICT}:live",
        "it is split among versions",
    ),
    "reserved concurrency": (
        lambda: lambdas().put_function_concurrency(FunctionName=DEPLOY, ReservedConcurrentExecutions=3),
        f"update reserved concurrency {DEPLOY}",
        "3 set aside, not 0",
    ),
    "provisioned concurrency": (
        lambda: lambdas().delete_provisioned_concurrency_config(FunctionName=PREDICT, Qualifier="live"),
        f"update provisioned concurrency {PREDICT}:live",
        "0 kept warm, not 2",
    ),
    "a mapping that is off": (
        lambda: lambdas().update_event_source_mapping(UUID=mapping(), Enabled=False),
        f"update event source {QUEUE}",
        "it is switched off",
    ),
    "a mapping's batch": (
        lambda: lambdas().update_event_source_mapping(UUID=mapping(), BatchSize=1),
        f"update event source {QUEUE}",
        "BatchSize is 1, not 10",
    ),
    "a mapping's tags": (
        lambda: lambdas().untag_resource(Resource=f"{LAMBDA}:event-source-mapping:{mapping()}", TagKeys=["project"]),
        f"update event source {QUEUE}",
        "tag project is missing",
    ),
    "a second mapping": (
        lambda: lambdas().create_event_source_mapping(
            FunctionName=f"{LAMBDA}:function:{DEPLOY}", EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{QUEUE}"
        ),
        f"delete event source {QUEUE} to {LAMBDA}:function:{DEPLOY}",
        "one is enough",
    ),
    "a log group that keeps for ever": (
        lambda: logs().delete_retention_policy(logGroupName=GROUP),
        f"update log group {GROUP}",
        "retentionInDays is not set, not 30",
    ),
    "a log group's tags": (
        lambda: logs().untag_resource(resourceArn=f"{LOGS}:log-group:{GROUP}", tagKeys=["project"]),
        f"update log group {GROUP}",
        "tag project is missing",
    ),
    "a log group": (
        lambda: logs().delete_log_group(logGroupName=f"/aws/lambda/{DEPLOY}"),
        f"create log group /aws/lambda/{DEPLOY}",
        "",
    ),
    "a rule's pattern": (
        lambda: events().put_rule(Name=RULE, EventPattern=json.dumps({"source": ["aws.sagemaker"]})),
        f"update rule {RULE}",
        "it hears other events",
    ),
    "a rule that sleeps": (
        lambda: events().disable_rule(Name=RULE),
        f"update rule {RULE}",
        "State is DISABLED, not ENABLED",
    ),
    "a rule's target": (
        lambda: events().remove_targets(Rule=RULE, Ids=["deploy"]),
        f"update rule {RULE}",
        "it calls something else",
    ),
    "a rule without its tags": (
        lambda: events().untag_resource(ResourceARN=f"{EVENTS}:rule/{RULE}", TagKeys=["project"]),
        f"update rule {RULE}",
        "tag project is missing",
    ),
    "a permission": (
        lambda: lambdas().remove_permission(FunctionName=DEPLOY, Qualifier="live", StatementId="pedigree-approved"),
        f"create permission {RULE} on {DEPLOY}",
        "",
    ),
}


def remove_role(name: str) -> None:
    client("iam").delete_role_policy(RoleName=name, PolicyName="pedigree")
    client("iam").delete_role(RoleName=name)


@pytest.fixture(scope="module")
def repaired(made_account: None, handlers: Path) -> tuple[Plan, Any, Any]:
    """Everything changed at once, and upserted: what the plan said, and the account before and after."""
    before = state()
    for meddle, *_ in HANDS.values():
        meddle()
    done = brought_about(parts(handlers), account())
    return done, before, state()


@pytest.mark.parametrize("hand", HANDS)
def test_it_is_named(hand: str, repaired: tuple[Plan, Any, Any]) -> None:
    planned, *_ = repaired
    _, what, why = HANDS[hand]
    said = dict(zip(told(planned), planned.changes, strict=True))
    assert what in said
    assert why in (*said[what].why, "")


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


def answering(operation: str, changes: dict[str, Any]) -> Watched:
    """The account, with other words in the answers to an operation."""

    def around(_service: str, asked: str, _arguments: Any, call: Hand) -> Any:
        return {**call(), **changes} if asked == operation else call()

    return Watched(around=around)


def test_an_update_that_failed_is_made_again(handlers: Path) -> None:
    found = client("lambda").get_function(FunctionName=PREDICT)["Configuration"]
    failed = {**found, "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "The role is gone"}
    watched = answering("get_function", {"Configuration": failed})
    predict = [part for part in parts(handlers, only="Function") if getattr(part, "name", "") == PREDICT]
    [change] = plan(predict, account(watched)).changes[:1]
    assert change.why == ("its last update failed: The role is gone",)
    assert [getattr(call, "operation", "") for call in change.calls] == ["update_function_configuration"]
