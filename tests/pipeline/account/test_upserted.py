"""What an account looks like after an upsert with the default settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pedigree.account.plan import plan
from steps.site import OWNER
from tests.support.accounts import RecordedClients, account, apply_resources, change_lines, client, upsert_resources
from tests.support.fakes.aws import ACCOUNT, REGION

pytestmark = pytest.mark.usefixtures("made_account")
BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
PIPELINE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/dog-breeds"
PREDICT = "sagemaker-dog-breeds-predict"
QUEUE = "dog-breeds-await-endpoint"


def test_a_second_upsert_reads_only(handlers: Path) -> None:
    watched = RecordedClients()
    assert change_lines(apply_resources(upsert_resources(handlers), account(watched))) == []
    assert watched.calls
    assert watched.writing() == []


def test_everything_says_whose_it_is() -> None:
    filters = [{"Key": OWNER, "Values": [PIPELINE]}, {"Key": "project", "Values": ["pedigree"]}]
    tagged = client("resourcegroupstaggingapi").get_paginator("get_resources").paginate(TagFilters=filters)
    kinds = [resource["ResourceARN"].split(":")[2] for page in tagged for resource in page["ResourceTagMappingList"]]
    counts = {kind: kinds.count(kind) for kind in kinds}
    assert counts == {"s3": 1, "sqs": 2, "lambda": 5, "logs": 4, "events": 1, "sagemaker": 2}
    for role in ("pedigree-pipeline", "pedigree-ec2"):
        labels = client("iam").get_role(RoleName=role)["Role"]["Tags"]
        assert {"Key": OWNER, "Value": PIPELINE} in labels


def test_the_bucket_is_private_versioned_and_reached_over_tls() -> None:
    s3 = client("s3")
    assert all(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values())
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert [(statement["Effect"], statement["Condition"]) for statement in policy] == [
        ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    ]


def test_the_bucket_keeps_what_executions_made_and_drops_what_was_replaced() -> None:
    found = client("s3").get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    rules = {rule["ID"]: rule for rule in found}
    executions = rules["pedigree-executions"]
    assert executions["Filter"] == {"Prefix": "pedigree/executions/"}
    assert "Expiration" not in executions  # registered models lie there
    assert rules["pedigree-leftovers"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}


def test_the_queue_hands_broken_messages_to_the_dead_letters() -> None:
    url = client("sqs").get_queue_url(QueueName=QUEUE)["QueueUrl"]
    found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert json.loads(found["RedrivePolicy"])["deadLetterTargetArn"].endswith(f":{QUEUE}-dead")
    assert found["SqsManagedSseEnabled"] == "true"
    assert "aws:SecureTransport" in found["Policy"]


def test_each_message_of_the_queue_counts_for_itself() -> None:
    [found] = client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert found["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert found["FunctionArn"].endswith(":sagemaker-dog-breeds-await-endpoint:live")


def test_functions_serve_by_an_alias_with_what_settings_set_aside() -> None:
    found = client("lambda").get_function(FunctionName=PREDICT)
    assert found["Concurrency"]["ReservedConcurrentExecutions"] == 10
    assert found["Configuration"]["Environment"]["Variables"] == {"ENDPOINT_NAME": "dog-breeds"}
    assert client("lambda").get_alias(FunctionName=PREDICT, Name="live")["FunctionVersion"] == "1"
    warm = client("lambda").get_provisioned_concurrency_config(FunctionName=PREDICT, Qualifier="live")
    assert warm["RequestedProvisionedConcurrentExecutions"] == 2


def test_the_rule_sends_what_the_step_sends() -> None:
    [target] = client("events").list_targets_by_rule(Rule="dog-breeds-approved")["Targets"]
    assert target["Arn"].endswith(":sagemaker-dog-breeds-deploy-endpoint:live")
    template = target["InputTransformer"]["InputTemplate"]
    assert target["InputTransformer"]["InputPathsMap"] == {"package": "$.detail.ModelPackageArn", "event": "$.id"}
    event = json.loads(template.replace("<package>", '"arn"').replace("<event>", "e-1"))
    assert (event["model_package_arn"], event["execution_id"]) == ("arn", "approval-e-1")
    assert event["endpoint_name"] == "dog-breeds"
    assert json.loads(event["autoscaling"])["max_capacity"] == 3
    assert all(isinstance(value, (str, int, float, bool)) for value in event.values())


def test_another_pipeline_does_not_take_the_roles_of_this_one(handlers: Path) -> None:
    with pytest.raises(Exception, match=r"belongs to arn:.*pipeline/dog-breeds and not to arn:.*pipeline/cats"):
        plan(upsert_resources(handlers, {"pipeline.name": "cats"}, only="Role"), account())
