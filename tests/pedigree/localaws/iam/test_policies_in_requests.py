"""Policies that the local AWS stores are enforced; those that it could not decide by are refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import ACCOUNT, LocalAws
from tests.support.local_aws import arn, client, running_local_aws
from tests.support.users import allowing, document, made_user, refused, user_client
from tests.support.waiting import until

BUCKET = "shared"
THIS, OBJECTS = f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"
EVERYBODY = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": OBJECTS}
PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": OBJECTS}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), enforces_iam=True) as local:
        client(local.url, "s3").create_bucket(Bucket=BUCKET)
        yield local


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "first byte must be"),
        ("[]", "first byte must be"),
        ("{", "is no JSON document"),
        ('{"Version": "2012-10-17"}', "Missing required field Statement"),
        (document({**EVERYBODY, "Effect": "deny"}), "has the effect 'deny'"),
        (document({**EVERYBODY, "Principal": {"AWS": "ann"}}), "has the principal 'ann'"),
        (document({name: value for name, value in EVERYBODY.items() if name != "Principal"}), "neither of Principal"),
        (document({**EVERYBODY, "Action": "sqs:*"}), "Policy has invalid action"),
        (document({**EVERYBODY, "Resource": "arn:aws:s3:::others/*"}), "Policy has invalid resource"),
        (document({**EVERYBODY, "Action": "s3:GetObject", "Resource": THIS}), "Action does not apply to any resource"),
        (document({**EVERYBODY, "Action": "s3:ListBucket"}), "Action does not apply to any resource"),
        (document({**EVERYBODY, "Condition": {"StringIs": {"a": "b"}}}), "unknown condition operator 'StringIs'"),
    ],
)
def test_a_malformed_bucket_policy_is_refused(local: LocalAws, text: str, words: str) -> None:
    s3 = client(local.url, "s3")
    assert words in refused(lambda: s3.put_bucket_policy(Bucket=BUCKET, Policy=text), "MalformedPolicy", 400)
    refused(lambda: s3.get_bucket_policy(Bucket=BUCKET), "NoSuchBucketPolicy", 404)


def test_a_public_policy_is_refused_where_that_is_blocked(local: LocalAws) -> None:
    s3 = client(local.url, "s3")
    s3.create_bucket(Bucket="blocked")  # which blocks public policies, as every new bucket does
    policy = document({**PUBLIC, "Resource": "arn:aws:s3:::blocked/*"})
    message = refused(lambda: s3.put_bucket_policy(Bucket="blocked", Policy=policy), "AccessDenied", 403)
    assert "BlockPublicPolicy" in message
    s3.delete_public_access_block(Bucket="blocked")
    s3.put_bucket_policy(Bucket="blocked", Policy=policy)


@pytest.mark.parametrize(
    ("more", "code", "status"),
    [
        ({"ACL": "public-read"}, "AccessControlListNotSupported", 400),
        ({"GrantRead": 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'}, "AccessControlListNotSupported", 400),
        ({"ExpectedBucketOwner": "000000000000"}, "AccessDenied", 403),
    ],
)
def test_grants_and_other_owners_are_refused(local: LocalAws, more: Mapping[str, Any], code: str, status: int) -> None:
    s3 = client(local.url, "s3")
    refused(lambda: s3.put_object(Bucket=BUCKET, Key="k", Body=b"x", **more), code, status)


def test_a_bucket_s_owner_may_be_named(local: LocalAws) -> None:
    s3 = client(local.url, "s3")
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"x", ExpectedBucketOwner=ACCOUNT, ACL="bucket-owner-full-control")


UNREADABLE = document({**allowing("s3:*"), "Condition": {"StringIs": {"a": "b"}}})


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("put_user_policy", {"UserName": "ann", "PolicyName": "p", "PolicyDocument": UNREADABLE}),
        ("put_role_policy", {"RoleName": "r", "PolicyName": "p", "PolicyDocument": UNREADABLE}),
        ("put_group_policy", {"GroupName": "g", "PolicyName": "p", "PolicyDocument": UNREADABLE}),
        ("create_policy", {"PolicyName": "p", "PolicyDocument": UNREADABLE}),
        ("create_role", {"RoleName": "r", "AssumeRolePolicyDocument": document(allowing("sts:AssumeRole"))}),
        ("update_assume_role_policy", {"RoleName": "r", "PolicyDocument": "{}"}),
    ],
)
def test_a_policy_that_iam_could_not_decide_by_is_refused(
    local: LocalAws, operation: str, arguments: Mapping[str, Any]
) -> None:
    call = getattr(client(local.url, "iam"), operation)
    refused(lambda: call(**arguments), "MalformedPolicyDocument", 400)


def test_a_queue_s_policy_grants_and_denies(local: LocalAws) -> None:
    sqs = client(local.url, "sqs")
    ann, ben = made_user(local, "ann", allowing("sqs:*")), made_user(local, "ben")
    user = f"arn:aws:iam::{ACCOUNT}:user/"
    mine = arn("sqs", "queue")
    policy = document(
        {"Effect": "Deny", "Principal": {"AWS": f"{user}ann"}, "Action": "sqs:SendMessage", "Resource": mine},
        {"Effect": "Allow", "Principal": {"AWS": f"{user}ben"}, "Action": "sqs:SendMessage", "Resource": mine},
    )
    url = sqs.create_queue(QueueName="queue", Attributes={"Policy": policy})["QueueUrl"]
    message = refused(
        lambda: user_client(local, "sqs", ann).send_message(QueueUrl=url, MessageBody="m"), "AccessDenied", 403
    )
    assert message.endswith("with an explicit deny in a resource-based policy")
    assert user_client(local, "sqs", ben).send_message(QueueUrl=url, MessageBody="m")["MessageId"]
    refused(lambda: user_client(local, "sqs", ben).receive_message(QueueUrl=url), "AccessDenied", 403)


@pytest.mark.parametrize("text", ["{", "{}", document(allowing("sqs:*"))])
def test_a_malformed_queue_policy_is_refused(local: LocalAws, text: str) -> None:
    sqs = client(local.url, "sqs")
    with pytest.raises(ClientError, match="parameter Policy") as raised:
        sqs.create_queue(QueueName="other", Attributes={"Policy": text})
    assert "InvalidAttributeValue" in raised.value.response["Error"]["Code"]


def test_a_function_s_policy_grants(local: LocalAws) -> None:
    key = made_user(local, "cat")
    made_function(local, "f")
    functions = client(local.url, "lambda")
    user = f"arn:aws:iam::{ACCOUNT}:user/cat"
    refused(
        lambda: user_client(local, "lambda", key).invoke(FunctionName="f", InvocationType="DryRun"),
        "AccessDeniedException",
        403,
    )
    functions.add_permission(FunctionName="f", StatementId="s", Action="lambda:InvokeFunction", Principal=user)
    assert user_client(local, "lambda", key).invoke(FunctionName="f", InvocationType="DryRun")["StatusCode"] == 204
    (statement,) = json.loads(functions.get_policy(FunctionName="f")["Policy"])["Statement"]
    assert statement["Principal"] == {"AWS": user}


def test_the_policy_of_a_published_version_does_not_void_what_others_are_granted(local: LocalAws) -> None:
    key = made_user(local, "dan", allowing("lambda:InvokeFunction"))
    made_function(local, "v")
    functions = client(local.url, "lambda")
    version = functions.publish_version(FunctionName="v")["Version"]
    functions.create_alias(FunctionName="v", Name="live", FunctionVersion=version)
    functions.add_permission(
        FunctionName="v", Qualifier="live", StatementId="s", Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
    )  # fmt: skip
    called = user_client(local, "lambda", key).invoke(FunctionName="v", Qualifier="live", InvocationType="DryRun")
    assert called["StatusCode"] == 204


@pytest.mark.parametrize("more", [{"Principal": "cat"}, {"Principal": "s3.amazonaws.com", "EventSourceToken": "t"}])
def test_a_permission_that_could_not_be_decided_by_is_refused(local: LocalAws, more: Mapping[str, str]) -> None:
    name = f"g{len(more)}"
    made_function(local, name)
    call = client(local.url, "lambda").add_permission
    with pytest.raises(ClientError, match=r"principal was invalid|EventSourceToken is not supported"):
        call(FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", **more)


def made_function(local: LocalAws, name: str) -> None:
    role = f"{name}-role"
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    made = client(local.url, "iam").create_role(RoleName=role, AssumeRolePolicyDocument=document(trust))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("f.py", "def handler(event, context): return 1")
    client(local.url, "lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=made["Role"]["Arn"],
        Handler="f.handler",
        Code={"ZipFile": buffer.getvalue()},
    )


def test_a_rule_reaches_a_queue_only_if_the_queue_s_policy_lets_it(local: LocalAws) -> None:
    sqs, events = client(local.url, "sqs"), client(local.url, "events")
    target, dead = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("target", "dead"))
    rule = events.put_rule(Name="r", EventPattern='{"source": ["test"]}')["RuleArn"]
    retry = {"MaximumRetryAttempts": 0}
    to = {"Id": "t", "Arn": arn("sqs", "target"), "DeadLetterConfig": {"Arn": arn("sqs", "dead")}, "RetryPolicy": retry}
    events.put_targets(Rule="r", Targets=[to])
    entry = {"Source": "test", "DetailType": "t", "Detail": "{}"}
    events.put_events(Entries=[entry])

    def received(url: str) -> Any:
        return sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages")

    (refusal,) = until(lambda: received(dead))
    assert refusal["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "AccessDeniedException"
    service, source = {"Service": "events.amazonaws.com"}, {"ArnEquals": {"aws:SourceArn": rule}}
    statement = {"Effect": "Allow", "Principal": service, "Action": "sqs:SendMessage", "Condition": source}
    policy = document({**statement, "Resource": arn("sqs", "target")})
    sqs.set_queue_attributes(QueueUrl=target, Attributes={"Policy": policy})
    events.put_events(Entries=[entry])
    assert until(lambda: received(target))


def test_a_group_of_packages_denies_by_its_policy(local: LocalAws) -> None:
    sagemaker, key = client(local.url, "sagemaker"), made_user(local, "dog", allowing("sagemaker:*"))
    group = sagemaker.create_model_package_group(ModelPackageGroupName="g")["ModelPackageGroupArn"]
    denial = {"Effect": "Deny", "Principal": "*", "Action": "sagemaker:*", "Resource": group}
    sagemaker.put_model_package_group_policy(ModelPackageGroupName="g", ResourcePolicy=document(denial))
    call = user_client(local, "sagemaker", key).describe_model_package_group
    message = refused(lambda: call(ModelPackageGroupName="g"), "AccessDeniedException", 400)
    assert message.endswith("with an explicit deny in a resource-based policy")
