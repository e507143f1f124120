"""An upsert creates what is missing, follows the settings, and leaves other owners' resources alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from pedigree.account.errors import NameTakenError, OperationsError
from pedigree.account.plan import plan
from steps.site import OWNER
from tests.support.accounts import (
    RecordedClients,
    account,
    apply_resources,
    change_lines,
    client,
    plain_documents,
    reasons,
    upsert_resources,
)
from tests.support.fakes.aws import ACCOUNT, REGION

pytestmark = pytest.mark.usefixtures("empty_account")
BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
DEPLOY, PREDICT = "sagemaker-dog-breeds-deploy-endpoint", "sagemaker-dog-breeds-predict"
QUEUE = "dog-breeds-await-endpoint"


def make_roles(handlers: Path) -> None:
    apply_resources(upsert_resources(handlers, only="Role"), account())


def test_a_plan_is_made_by_reading_calls_only(handlers: Path) -> None:
    watched = RecordedClients()
    assert plan(upsert_resources(handlers), account(watched)).count("create") == 32
    assert watched.writing() == []


def test_the_order_is_one_in_which_each_part_finds_what_it_names(handlers: Path) -> None:
    done = change_lines(plan(upsert_resources(handlers), account()))
    for before, after in (
        (f"create bucket {BUCKET}", "create code pedigree/code/"),
        ("create role pedigree-predict", f"create function {PREDICT}"),
        (f"create log group /aws/lambda/{PREDICT}", f"create function {PREDICT}"),
        (f"create queue {QUEUE}-dead", f"create queue {QUEUE}"),
        ("create role pedigree-pipeline", "create pipeline dog-breeds"),
        ("create alias sagemaker-dog-breeds-await-endpoint:live", f"create event source {QUEUE}"),
        (f"create alias {DEPLOY}:live", f"create permission dog-breeds-approved on {DEPLOY}"),
    ):
        first = next(place for place, line in enumerate(done) if line.startswith(before))
        assert any(line.startswith(after) for line in done[first + 1 :]), after


def test_a_schedule_is_made_where_settings_have_one(handlers: Path) -> None:
    done = change_lines(plan(upsert_resources(handlers, {"schedule.enabled": True}), account()))
    assert done[-3:-1] == ["create queue dog-breeds-schedule-dead", "create schedule dog-breeds"]
    assert done.index("create pipeline dog-breeds") < len(done) - 3


def test_a_second_upsert_makes_some_reading_calls_and_no_others(handlers: Path) -> None:
    resources, first, second = (
        upsert_resources(handlers, {"schedule.enabled": True}),
        RecordedClients(),
        RecordedClients(),
    )
    apply_resources(resources, account(first))
    assert change_lines(apply_resources(resources, account(second))) == []
    assert len(first.writing()) > 50
    assert second.writing() == []
    assert 60 < len(second.calls) < 80


def test_a_key_of_ones_own_encrypts_bucket_and_code(handlers: Path) -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234"
    watched = RecordedClients()
    for kind in ("Bucket", "Archive"):
        apply_resources(upsert_resources(handlers, {"site.encryption.output_key": key}, only=kind), account(watched))
    rule = client("s3").get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    [uploaded] = [arguments for _, name, arguments in watched.calls if name == "put_object"]
    assert uploaded["SSEKMSKeyId"] == key


def test_a_better_encryption_than_in_settings_stays(handlers: Path) -> None:
    resources = [*upsert_resources(handlers, only="Bucket"), *upsert_resources(handlers, only="Queue")]
    apply_resources(resources, account())
    stronger = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
    client("s3").put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration=stronger)
    url = client("sqs").get_queue_url(QueueName=f"{QUEUE}-dead")["QueueUrl"]
    there = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
    client("sqs").set_queue_attributes(QueueUrl=url, Attributes={**there, "KmsMasterKeyId": "alias/ours"})
    assert change_lines(apply_resources(resources, account())) == []


def test_a_key_in_settings_is_the_one_that_encrypts(handlers: Path) -> None:
    apply_resources(upsert_resources(handlers, only="Bucket"), account())
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234"
    done = apply_resources(upsert_resources(handlers, {"site.encryption.output_key": key}, only="Bucket"), account())
    assert reasons(done) == ["encryption differs from the settings"]


def test_the_code_is_uploaded_with_its_checksum_and_once(handlers: Path) -> None:
    apply_resources(upsert_resources(handlers, only="Bucket"), account())
    watched = RecordedClients()
    for _ in range(2):
        apply_resources(upsert_resources(handlers, only="Archive"), account(watched))
    [uploaded] = [arguments for _, name, arguments in watched.calls if name == "put_object"]
    assert uploaded["ExpectedBucketOwner"] == ACCOUNT
    assert len(uploaded["ChecksumSHA256"]) == 44
    assert uploaded["Key"] == f"pedigree/code/{uploaded['Metadata']['content-sha256'][:16]}/source.tar.gz"


def test_a_bucket_of_another_owner_is_used_as_it_is(handlers: Path) -> None:
    client("s3").create_bucket(Bucket="our-images")
    named = {"site.bucket": "our-images"}
    assert change_lines(apply_resources(upsert_resources(handlers, named, only="Bucket"), account())) == []
    [made] = change_lines(apply_resources(upsert_resources(handlers, named, only="Archive"), account()))
    assert made.startswith("create code pedigree/code/")
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        client("s3").get_bucket_policy(Bucket="our-images")


def test_a_missing_bucket_that_settings_name_is_created_and_mended(handlers: Path) -> None:
    bucket = upsert_resources(handlers, {"site.bucket": "our-images"}, only="Bucket")
    assert change_lines(apply_resources(bucket, account())) == ["create bucket our-images"]
    client("s3").delete_public_access_block(Bucket="our-images")
    assert change_lines(apply_resources(bucket, account())) == ["update bucket our-images"]


def test_what_others_added_to_the_bucket_stays(handlers: Path) -> None:
    bucket, s3 = upsert_resources(handlers, only="Bucket"), client("s3")
    apply_resources(bucket, account())
    labels = s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]
    theirs = [*(label for label in labels if label["Key"] != OWNER), {"Key": "cost-centre", "Value": "7"}]
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": theirs})
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    shared = {"Sid": "Shared", "Effect": "Deny", "Principal": "*", "Action": "s3:Delete*", "Resource": "*"}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({**policy, "Statement": [shared]}))
    apply_resources(bucket, account())
    assert {tag["Key"] for tag in s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]} == {"project", "cost-centre", OWNER}
    statements = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert [statement["Sid"] for statement in statements] == ["Shared", "OverTlsOnly"]


def test_the_queue_is_a_clock_that_lasts_as_long_as_the_function_waits(handlers: Path) -> None:
    waiting = {"functions.await.poll_seconds": 90, "functions.await.give_up_minutes": 300}
    apply_resources(upsert_resources(handlers, waiting, only="Queue"), account())
    url = client("sqs").get_queue_url(QueueName=QUEUE)["QueueUrl"]
    found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert found["VisibilityTimeout"] == "90"
    assert 300 * 60 / 90 < json.loads(found["RedrivePolicy"])["maxReceiveCount"] <= 1000


def test_only_a_change_publishes_a_version(handlers: Path) -> None:
    make_roles(handlers)
    apply_resources(upsert_resources(handlers, only="LambdaFunction"), account())
    changed = upsert_resources(handlers, {"functions.predict.timeout_seconds": 30}, only="LambdaFunction")
    done = apply_resources(changed, account())
    assert change_lines(done) == [f"update function {PREDICT}", f"update alias {PREDICT}:live"]
    assert reasons(done) == ["Timeout is 65, not 30", "version 1: Timeout is 65, not 30"]
    get_alias = client("lambda").get_alias
    versions = {name: get_alias(FunctionName=name, Name="live")["FunctionVersion"] for name in (DEPLOY, PREDICT)}
    assert versions == {DEPLOY: "1", PREDICT: "2"}


def test_setting_nothing_aside_takes_it_back(handlers: Path) -> None:
    make_roles(handlers)
    apply_resources(
        [
            *upsert_resources(handlers, only="LambdaFunction"),
            *upsert_resources(handlers, only="ProvisionedConcurrency"),
        ],
        account(),
    )
    none = {"functions.predict.reserved_concurrency": 0, "functions.predict.provisioned_concurrency": 0}
    done = apply_resources(
        [
            *upsert_resources(handlers, none, only="LambdaFunction"),
            *upsert_resources(handlers, none, only="ProvisionedConcurrency"),
        ],
        account(),
    )
    assert change_lines(done) == [
        f"update reserved concurrency {PREDICT}",
        f"update provisioned concurrency {PREDICT}:live",
    ]
    assert "Concurrency" not in client("lambda").get_function(FunctionName=PREDICT)


def test_another_machine_architecture_comes_with_the_code(handlers: Path) -> None:
    make_roles(handlers)
    apply_resources(upsert_resources(handlers, only="LambdaFunction"), account())
    apply_resources(upsert_resources(handlers, {"functions.architecture": "x86_64"}, only="LambdaFunction"), account())
    served = client("lambda").get_function(FunctionName=PREDICT, Qualifier="live")["Configuration"]
    assert served["Architectures"] == ["x86_64"]


def test_another_account_has_the_bucket(handlers: Path) -> None:
    client("s3").create_bucket(Bucket="theirs")
    here = account()
    elsewhere = type(here)("000000000000", REGION, here.clients, here.caller, here.clock)
    with pytest.raises(NameTakenError, match=r"bucket theirs belongs to another account, or .* choose another with"):
        plan(upsert_resources(handlers, {"site.bucket": "theirs"}, only="Bucket"), elsewhere)


def test_a_bucket_of_another_region_is_reported(handlers: Path) -> None:
    where = {"LocationConstraint": "eu-west-1"}
    client("s3").create_bucket(Bucket="far-away", CreateBucketConfiguration=where)
    with pytest.raises(NameTakenError, match=r"bucket far-away lies in eu-west-1, and settings say us-east-1"):
        plan(upsert_resources(handlers, {"site.bucket": "far-away"}, only="Bucket"), account())


def test_a_role_of_another_owner_is_never_touched(handlers: Path) -> None:
    theirs = json.dumps(plain_documents("ec2").trust)
    client("iam").create_role(RoleName="pedigree-job", AssumeRolePolicyDocument=theirs)
    watched = RecordedClients()
    with pytest.raises(
        NameTakenError, match=r"role pedigree-job exists already .* choose another name under site.roles"
    ):
        plan(upsert_resources(handlers, only="Role"), account(watched))
    assert watched.writing() == []


@pytest.mark.parametrize("kind", ["Queue", "LogGroup"])
def test_what_another_pipeline_has_is_not_taken_over(kind: str, handlers: Path) -> None:
    apply_resources(upsert_resources(handlers, only=kind), account())
    theirs = {OWNER: f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/cats"}
    url = client("sqs").get_queue_url(QueueName=QUEUE)["QueueUrl"] if kind == "Queue" else ""
    if url:
        client("sqs").tag_queue(QueueUrl=url, Tags=theirs)
    else:
        client("logs").tag_log_group(logGroupName=f"/aws/lambda/{PREDICT}", tags=theirs)
    with pytest.raises(NameTakenError, match=r"belongs to arn:.*pipeline/cats and not to arn:.*pipeline/dog-breeds"):
        plan(upsert_resources(handlers, only=kind), account())


def test_an_event_that_does_not_fit_into_a_rule_is_reported(handlers: Path) -> None:
    many = {f"tag-{number}": "x" * 256 for number in range(40)}
    with pytest.raises(OperationsError, match=r"EventBridge takes 8192; shorten site\.tags"):
        upsert_resources(handlers, {"site.tags": many})


def test_an_event_that_looks_like_a_placeholder_is_none(handlers: Path) -> None:
    [rule] = upsert_resources(handlers, {"endpoint.alarms.extra": ("too <event> slow",)}, only="Approval")
    template = getattr(rule, "template", "")
    assert template.count("<event>") == 1
    event = json.loads(template.replace("<package>", '"arn"').replace("<event>", "e-1"))
    assert json.loads(event["extra_alarms"]) == ["too <event> slow"]
