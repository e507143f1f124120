"""What upsert and executions made goes, in an order in which it can; what is data goes only when that is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import cycle, repeat
from pathlib import Path
from typing import Any

import pytest

from pedigree.account.errors import TakenError
from pedigree.account.plan import Emptying, plan
from pipeline.account import destroy
from pipeline.settings.tree import Settings
from tests.pipeline.account.test_faults import AFTER, BEFORE, Trouble, upserted_in_spite_of
from tests.support.accounts import Watched, account, brought_about, client, parts, rights, settings, state, told, whys
from tests.support.fakes.aws import ACCOUNT, REGION, aws

BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
PIPELINE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/dog-breeds"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pedigree-model"
LINKED = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
TAGS = [{"Key": "pedigree:pipeline", "Value": PIPELINE}]


def deployed(name: str, tags: list[dict[str, str]]) -> None:
    """What an execution leaves: a model that is served, scaled and watched."""
    sagemaker = client("sagemaker")
    sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": "x"}, ExecutionRoleArn=ROLE, Tags=tags)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], Tags=tags)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=tags)
    client("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/{name}/variant/AllTraffic",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MinCapacity=1,
        MaxCapacity=2,
    )
    client("cloudwatch").put_metric_alarm(
        AlarmName=f"{name}-latency",
        MetricName="ModelLatency",
        Namespace="AWS/SageMaker",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Average",
        Tags=tags,
    )


def pipeline(name: str, tags: list[dict[str, str]]) -> str:
    """A pipeline with an execution that runs, whether or not it was there before."""
    sagemaker = client("sagemaker")
    definition = json.dumps({"Version": "2020-12-01", "Steps": []})
    made: dict[str, Any] = {"PipelineDefinition": definition, "RoleArn": ROLE, "ClientRequestToken": "x" * 32}
    if account().find("sagemaker", "describe_pipeline", PipelineName=name) is None:
        sagemaker.create_pipeline(PipelineName=name, Tags=tags, **made)
    started = sagemaker.start_pipeline_execution(PipelineName=name, ClientRequestToken="y" * 32)
    from moto.sagemaker.models import sagemaker_backends

    execution = sagemaker_backends[ACCOUNT][REGION].pipelines[name].pipeline_executions[started["PipelineExecutionArn"]]
    execution.pipeline_execution_status = "Executing"
    return str(started["PipelineExecutionArn"])


def scheduled(name: str, target: str) -> None:
    client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression="rate(7 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": target, "RoleArn": ROLE},
    )


def lived_in(handlers: Path) -> None:
    """An account in which the pipeline was at work, beside things of others."""
    brought_about(parts(handlers), account())
    pipeline("dog-breeds", TAGS)
    scheduled("dog-breeds", PIPELINE)
    deployed("dog-breeds-e1", TAGS)
    deployed("cats", [{"Key": "team", "Value": "cats"}])
    client("sagemaker").create_model_package(ModelPackageGroupName="dog-breeds")
    for key in ("pedigree/executions/e1/model.tar.gz", "pedigree/executions/e1/model.tar.gz"):
        client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"weights")


def left() -> dict[str, Any]:
    """What is still there of what tests here make, by kind."""
    sagemaker = client("sagemaker")
    found = {
        "endpoints": [one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]],
        "configurations": [one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs()["EndpointConfigs"]],
        "models": [one["ModelName"] for one in sagemaker.list_models()["Models"]],
        "groups": [one["ModelPackageGroupName"] for one in _groups()],
        "pipelines": [one["PipelineName"] for one in sagemaker.list_pipelines()["PipelineSummaries"]],
        "alarms": [one["AlarmName"] for one in client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "scaled": [one["ResourceId"] for one in _scaled()],
        "schedules": [one["Name"] for one in client("scheduler").list_schedules()["Schedules"]],
        **{kind: list(there) for kind, there in state().items() if kind not in ("groups", "buckets")},
        "buckets": [one["Name"] for one in client("s3").list_buckets()["Buckets"]],
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
    lived_in(handlers)
    return settings()


def test_a_plan_to_destroy_reads_only_and_lists_all_of_it(account_in_use: Settings) -> None:
    watched = Watched()
    planned = told(plan(destroy.parts(account_in_use, data=False), account(watched)))
    assert watched.writing() == []
    kinds = list(dict.fromkeys(line.split(" ", 1)[1].rsplit(" ", 1)[0] for line in planned))
    assert kinds == [
        "schedule", "rule", "pipeline", "scaling", "endpoint", "alarm", "endpoint configuration", "model",
        "event source", "function", "queue", "log group", "instance profile", "role",
    ]  # fmt: skip
    assert not [line for line in planned if "cats" in line]


def test_all_of_it_goes_and_nothing_else(account_in_use: Settings) -> None:
    done = brought_about(destroy.parts(account_in_use, data=False), account())
    assert left() == {**OTHERS, **DATA}
    assert "executions that are stopped before: 1" in whys(done)


def test_destroying_again_does_nothing(account_in_use: Settings) -> None:
    everything = destroy.parts(account_in_use, data=True)
    brought_about(everything, account())
    watched = Watched()
    assert told(brought_about(everything, account(watched))) == []
    assert watched.writing() == []


def test_data_goes_when_it_is_asked_for(account_in_use: Settings) -> None:
    done = brought_about(destroy.parts(account_in_use, data=True), account())
    assert left() == OTHERS
    assert "versions in it: 1" in whys(done)
    assert "versions of objects in it: 3" in whys(done)


def test_data_stays_while_another_pipeline_may_use_the_same_bucket(account_in_use: Settings) -> None:
    other = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/cats"
    pipeline("cats", [{"Key": "pedigree:pipeline", "Value": other}])
    with pytest.raises(TakenError, match=f"{other} may keep data in bucket {BUCKET} too"):
        plan(destroy.parts(account_in_use, data=True), account())


def test_a_schedule_of_that_name_that_starts_something_else_stays(empty_account: None) -> None:
    scheduled("dog-breeds", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:bark")
    assert told(plan(destroy.parts(settings(), data=False), account())) == []


def test_a_role_of_that_name_that_is_not_ours_stays(empty_account: None) -> None:
    trust = json.dumps(rights("ec2").trust)
    client("iam").create_role(RoleName="pedigree-job", AssumeRolePolicyDocument=trust)
    assert told(plan(destroy.parts(settings(), data=True), account())) == []


def test_what_others_put_on_a_role_of_ours_does_not_keep_it(empty_account: None, handlers: Path) -> None:
    brought_about(parts(handlers, only="Role"), account())
    more = {"PolicyName": "more", "PolicyDocument": json.dumps(rights().policy)}
    client("iam").put_role_policy(RoleName="pedigree-job", **more)
    made = client("iam").create_policy(**more)["Policy"]["Arn"]
    client("iam").attach_role_policy(RoleName="pedigree-job", PolicyArn=made)
    brought_about(destroy.parts(settings(), data=False), account())
    assert client("iam").list_roles()["Roles"] == []


def test_of_somebody_elses_bucket_only_our_own_folder_is_emptied(empty_account: None) -> None:
    client("s3").create_bucket(Bucket="our-images")
    for key in ("pedigree/code/1/source.tar.gz", "pedigree-2/other", "dogs/1.jpg"):
        client("s3").put_object(Bucket="our-images", Key=key, Body=b"x")
    chosen = settings({"site.bucket": "our-images"})
    done = brought_about(destroy.parts(chosen, data=True), account())
    assert told(done) == ["delete objects our-images/pedigree/"]
    assert done.changes[0].calls == (Emptying("our-images", "pedigree/"),)
    kept = client("s3").list_objects_v2(Bucket="our-images")["Contents"]
    assert [one["Key"] for one in kept] == ["dogs/1.jpg", "pedigree-2/other"]


@pytest.mark.parametrize(
    ("status", "acts"),
    [
        ("InService", ["delete_endpoint", "describe_endpoint"]),
        ("Updating", ["describe_endpoint", "delete_endpoint", "describe_endpoint"]),
        ("Deleting", ["describe_endpoint"]),
    ],
)
def test_an_endpoint_that_is_being_changed_is_waited_for(empty_account: None, status: str, acts: list[str]) -> None:
    deployed("dog-breeds-e1", TAGS)

    def around(_service: str, operation: str, _arguments: Any, call: Any) -> Any:
        return {**call(), "EndpointStatus": status} if operation == "describe_endpoint" else call()

    planned = plan(destroy.parts(settings(), data=False), account(Watched(around=around)))
    [endpoint] = [change for change in planned.changes if change.kind == "endpoint"]
    assert [getattr(act, "operation", "") for act in endpoint.calls] == acts


@pytest.mark.parametrize("last", AFTER)
def test_whatever_goes_wrong_another_run_goes_on_with_it(last: Any, handlers: Path) -> None:
    """Each call that removes something fails once, in one of the ways, or has its effect and loses its answer."""
    trouble = Trouble(cycle([[way] for way in (*BEFORE, last)]), repeat(()))
    with aws():
        lived_in(handlers)
        upserted_in_spite_of(trouble, destroy.parts(settings(), data=True))
        assert left() == OTHERS
    assert len(trouble.failed) > 40
