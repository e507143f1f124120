"""Destroy removes what upsert and executions created, in a valid order; it removes data only on request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import cycle, repeat
from pathlib import Path
from typing import Any

import pytest

from pedigree.account.errors import NameTakenError
from pedigree.account.plan import EmptyBucket, plan
from pipeline.account import destroy
from pipeline.settings.tree import Settings
from tests.support.accounts import (
    RecordedClients,
    account,
    apply_resources,
    change_lines,
    client,
    plain_documents,
    reasons,
    settings,
    state,
    upsert_resources,
)
from tests.support.fakes.aws import ACCOUNT, REGION, aws
from tests.support.injected_faults import FAULTS_AFTER_EFFECT, FAULTS_BEFORE_EFFECT, FaultInjector, upsert_until_done
from tests.support.used_account import BUCKET, TAGS, deploy, schedule, start_execution, use_account

LINKED = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


def left() -> dict[str, Any]:
    """What is still there of what tests here make, by kind."""
    sagemaker = client("sagemaker")
    found = {
        "endpoints": [endpoint["EndpointName"] for endpoint in sagemaker.list_endpoints()["Endpoints"]],
        "configurations": [
            configuration["EndpointConfigName"]
            for configuration in sagemaker.list_endpoint_configs()["EndpointConfigs"]
        ],
        "models": [model["ModelName"] for model in sagemaker.list_models()["Models"]],
        "groups": [group["ModelPackageGroupName"] for group in _groups()],
        "pipelines": [pipeline["PipelineName"] for pipeline in sagemaker.list_pipelines()["PipelineSummaries"]],
        "alarms": [alarm["AlarmName"] for alarm in client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "scaled": [target["ResourceId"] for target in _scaled()],
        "schedules": [schedule["Name"] for schedule in client("scheduler").list_schedules()["Schedules"]],
        **{kind: list(there) for kind, there in state().items() if kind not in ("groups", "buckets")},
        "buckets": [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]],
    }
    return {kind: there for kind, there in found.items() if there}


def _groups() -> list[Mapping[str, Any]]:
    return list(client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"])


def _scaled() -> list[Mapping[str, Any]]:
    targets = client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    return list(targets["ScalableTargets"])


OTHERS = {
    "endpoints": ["cats"],
    "configurations": ["cats"],
    "models": ["cats"],
    "alarms": ["cats-latency"],
    "scaled": ["endpoint/cats/variant/AllTraffic"],
    "roles": [LINKED],
}
DATA = {"groups": ["dog-breeds"], "buckets": [BUCKET]}


@pytest.fixture
def account_in_use(empty_account: None, handlers: Path) -> Settings:
    use_account(handlers)
    return settings()


def test_a_plan_to_destroy_reads_only_and_lists_all_of_it(account_in_use: Settings) -> None:
    watched = RecordedClients()
    planned = change_lines(plan(destroy.resources(account_in_use, data=False), account(watched)))
    assert watched.writing() == []
    kinds = list(dict.fromkeys(line.split(" ", 1)[1].rsplit(" ", 1)[0] for line in planned))
    assert kinds == [
        "schedule", "rule", "pipeline", "scaling", "endpoint", "alarm", "endpoint configuration", "model",
        "event source", "function", "queue", "log group", "instance profile", "role",
    ]  # fmt: skip
    assert not [line for line in planned if "cats" in line]


def test_all_of_it_goes_and_nothing_else(account_in_use: Settings) -> None:
    done = apply_resources(destroy.resources(account_in_use, data=False), account())
    assert left() == {**OTHERS, **DATA}
    assert "executions that are stopped before: 1" in reasons(done)


def test_destroying_again_does_nothing(account_in_use: Settings) -> None:
    everything = destroy.resources(account_in_use, data=True)
    apply_resources(everything, account())
    watched = RecordedClients()
    assert change_lines(apply_resources(everything, account(watched))) == []
    assert watched.writing() == []


def test_data_is_removed_on_request(account_in_use: Settings) -> None:
    done = apply_resources(destroy.resources(account_in_use, data=True), account())
    assert left() == OTHERS
    assert "versions in it: 1" in reasons(done)
    assert "versions of objects in it: 3" in reasons(done)


def test_data_stays_while_another_pipeline_may_use_the_same_bucket(account_in_use: Settings) -> None:
    other = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/cats"
    start_execution("cats", [{"Key": "pedigree:pipeline", "Value": other}])
    with pytest.raises(NameTakenError, match=f"{other} may keep data in bucket {BUCKET} too"):
        plan(destroy.resources(account_in_use, data=True), account())


def test_a_schedule_of_that_name_that_starts_something_else_stays(empty_account: None) -> None:
    schedule("dog-breeds", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:bark")
    assert change_lines(plan(destroy.resources(settings(), data=False), account())) == []


def test_a_role_of_that_name_that_is_not_ours_stays(empty_account: None) -> None:
    trust = json.dumps(plain_documents("ec2").trust)
    client("iam").create_role(RoleName="pedigree-job", AssumeRolePolicyDocument=trust)
    assert change_lines(plan(destroy.resources(settings(), data=True), account())) == []


def test_what_others_put_on_a_role_of_ours_does_not_keep_it(empty_account: None, handlers: Path) -> None:
    apply_resources(upsert_resources(handlers, only="Role"), account())
    more = {"PolicyName": "more", "PolicyDocument": json.dumps(plain_documents().policy)}
    client("iam").put_role_policy(RoleName="pedigree-job", **more)
    made = client("iam").create_policy(**more)["Policy"]["Arn"]
    client("iam").attach_role_policy(RoleName="pedigree-job", PolicyArn=made)
    apply_resources(destroy.resources(settings(), data=False), account())
    assert client("iam").list_roles()["Roles"] == []


def test_in_a_bucket_of_another_owner_only_our_own_folder_is_emptied(empty_account: None) -> None:
    client("s3").create_bucket(Bucket="our-images")
    for key in ("pedigree/code/1/source.tar.gz", "pedigree-2/other", "dogs/1.jpg"):
        client("s3").put_object(Bucket="our-images", Key=key, Body=b"x")
    chosen = settings({"site.bucket": "our-images"})
    done = apply_resources(destroy.resources(chosen, data=True), account())
    assert change_lines(done) == ["delete objects our-images/pedigree/"]
    assert done.changes[0].calls == (EmptyBucket("our-images", "pedigree/"),)
    objects = client("s3").list_objects_v2(Bucket="our-images")["Contents"]
    assert [object_["Key"] for object_ in objects] == ["dogs/1.jpg", "pedigree-2/other"]


@pytest.mark.parametrize(
    ("status", "acts"),
    [
        ("InService", ["delete_endpoint", "describe_endpoint"]),
        ("Updating", ["describe_endpoint", "delete_endpoint", "describe_endpoint"]),
        ("Deleting", ["describe_endpoint"]),
    ],
)
def test_an_endpoint_that_is_being_changed_is_waited_for(empty_account: None, status: str, acts: list[str]) -> None:
    deploy("dog-breeds-e1", TAGS)

    def around(_service: str, operation: str, _arguments: Any, call: Any) -> Any:
        return {**call(), "EndpointStatus": status} if operation == "describe_endpoint" else call()

    planned = plan(destroy.resources(settings(), data=False), account(RecordedClients(around=around)))
    [endpoint] = [change for change in planned.changes if change.kind == "endpoint"]
    assert [getattr(act, "operation", "") for act in endpoint.calls] == acts


@pytest.mark.parametrize("last", FAULTS_AFTER_EFFECT)
def test_whatever_goes_wrong_another_run_goes_on_with_it(last: Any, handlers: Path) -> None:
    """Each call that removes something fails once, in one of the ways, or has its effect and loses its answer."""
    injector = FaultInjector(cycle([[fault] for fault in (*FAULTS_BEFORE_EFFECT, last)]), repeat(()))
    with aws():
        use_account(handlers)
        upsert_until_done(injector, destroy.resources(settings(), data=True))
        assert left() == OTHERS
    assert len(injector.injected) > 40
