"""Resources of a local AWS that receives malformed requests: some must stay unchanged, others may be changed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

ACCOUNT = "123456789012"
PROTECTED, EXPENDABLE = "protected", "expendable"
Client = Callable[[str], Any]
_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"},
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)
_ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
_DEFINITION = json.dumps(
    {"Version": "2020-12-01", "Steps": [{"Name": "stop", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}]}
)


def role(name: str) -> str:
    """The ARN of a role."""
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def names_by_member(name: str) -> Mapping[str, tuple[str, ...]]:
    """How requests refer to the resources of a name, by the member that refers to them."""
    of_sagemaker = (
        f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:{kind}/{name}" for kind in ("pipeline", "model", "endpoint")
    )
    arns = (*of_sagemaker, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}", f"arn:aws:iam::{ACCOUNT}:role/{name}")
    same = ("FunctionName", "QueueName", "PipelineName", "ModelName", "RoleName", "Name", "Rule", "RuleName", "Bucket")
    more = (
        "EndpointName",
        "EndpointConfigName",
        "ModelPackageGroupName",
        "GroupName",
        "PolicyName",
        "AlarmName",
        "UserName",
    )
    return {
        **dict.fromkeys((*same, *more), (name,)),
        **dict.fromkeys(("logGroupName", "logGroupIdentifier", "logStreamName"), (name,)),
        **dict.fromkeys(("ResourceArn", "ResourceARN", "resourceArn", "Resource", "SourceArn", "Arn"), arns),
        "Key": (name,),
        "AlarmNames": (name,),
        "Names": (f"/{name}",),
        "RoleArn": (role(name),),
        "QueueUrl": (f"http://127.0.0.1/{ACCOUNT}/{name}",),
        "ResourceId": (f"endpoint/{name}/variant/AllTraffic",),
        "ServiceNamespace": ("sagemaker",),
        "ScalableDimension": ("sagemaker:variant:DesiredInstanceCount",),
    }


def create_resources(client: Client, name: str) -> None:
    """Create one resource of each kind, unless it exists."""
    for make in (
        _objects,
        _roles,
        _function,
        _queue,
        _rule,
        _schedule,
        _metrics,
        _logs,
        _parameter,
        _pipelines,
        _models,
    ):
        make(client, name)


def describe_resources(client: Client, name: str) -> str:
    """All descriptions of the resources of a name, as one text."""
    answers = {key: ask() for key, ask in _queries(client, name).items()}
    for answer in answers.values():
        answer.pop("ResponseMetadata", None)
    return json.dumps(answers, default=str, sort_keys=True, indent=1)


def _without_alarm_state(answer: dict[str, Any]) -> dict[str, Any]:
    """Alarms without their state, which the daemon changes without a call."""
    for alarm in answer["MetricAlarms"]:
        for member in [key for key in alarm if key.startswith("State")]:
            del alarm[member]
    return answer


def _create_once(make: Callable[..., Any], **request: Any) -> None:
    try:
        make(**request)
    except Exception as error:
        if not any(word in str(error) for word in ("xist", "already", "Conflict", "lready")):
            raise


def _objects(client: Client, name: str) -> None:
    s3 = client("s3")
    _create_once(s3.create_bucket, Bucket=name)
    s3.put_object(Bucket=name, Key=name, Body=b"content")


def _roles(client: Client, name: str) -> None:
    iam = client("iam")
    _create_once(iam.create_role, RoleName=name, AssumeRolePolicyDocument=_TRUST)
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=_ALL)


def _function(client: Client, name: str) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", "def handler(event, context):\n    return event\n")
    describe_resources = {
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Role": role(name),
        "Code": {"ZipFile": archive.getvalue()},
    }
    _create_once(client("lambda").create_function, FunctionName=name, **describe_resources)


def _queue(client: Client, name: str) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    if (
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"]
        == "0"
    ):
        sqs.send_message(QueueUrl=url, MessageBody="message")


def _rule(client: Client, name: str) -> None:
    events = client("events")
    events.put_rule(Name=name, EventPattern='{"source": ["nobody"]}')
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"}])


def _schedule(client: Client, name: str) -> None:
    target = {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}", "RoleArn": role(name)}
    flexible = {"Mode": "OFF"}
    make = client("scheduler").create_schedule
    _create_once(
        make,
        Name=name,
        ScheduleExpression="rate(365 days)",
        Target=target,
        FlexibleTimeWindow=flexible,
        State="DISABLED",
    )


def _metrics(client: Client, name: str) -> None:
    how = {
        "Namespace": name,
        "MetricName": name,
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "Statistic": "Sum",
    }
    client("cloudwatch").put_metric_alarm(AlarmName=name, ComparisonOperator="GreaterThanThreshold", **how)


def _logs(client: Client, name: str) -> None:
    logs = client("logs")
    _create_once(logs.create_log_group, logGroupName=name)
    _create_once(logs.create_log_stream, logGroupName=name, logStreamName=name)


def _parameter(client: Client, name: str) -> None:
    client("ssm").put_parameter(Name=f"/{name}", Value="value", Type="String", Overwrite=True)


def _pipelines(client: Client, name: str) -> None:
    sagemaker = client("sagemaker")
    about = {"PipelineDefinition": _DEFINITION, "RoleArn": role(name), "ClientRequestToken": "0" * 32}
    _create_once(sagemaker.create_pipeline, PipelineName=name, Tags=[{"Key": "a", "Value": "b"}], **about)


def _models(client: Client, name: str) -> None:
    sagemaker = client("sagemaker")
    image = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/image:1"
    _create_once(sagemaker.create_model, ModelName=name, ExecutionRoleArn=role(name), PrimaryContainer={"Image": image})
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    _create_once(sagemaker.create_endpoint_config, EndpointConfigName=name, ProductionVariants=[variant])
    _create_once(sagemaker.create_model_package_group, ModelPackageGroupName=name)


def _queries(client: Client, name: str) -> Mapping[str, Callable[[], dict[str, Any]]]:
    url = f"http://127.0.0.1/{ACCOUNT}/{name}"
    sagemaker, iam, events = client("sagemaker"), client("iam"), client("events")
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/{name}"
    return {
        "object": lambda: {"Body": client("s3").get_object(Bucket=name, Key=name)["Body"].read().decode()},
        "objects": lambda: client("s3").list_objects_v2(Bucket=name),
        "role": lambda: _without(iam.get_role(RoleName=name)["Role"], "RoleLastUsed"),
        "policy": lambda: iam.get_role_policy(RoleName=name, PolicyName=name),
        "function": lambda: client("lambda").get_function_configuration(FunctionName=name),
        "queue": lambda: client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"]),
        "rule": lambda: events.describe_rule(Name=name),
        "targets": lambda: events.list_targets_by_rule(Rule=name),
        "schedule": lambda: client("scheduler").get_schedule(Name=name),
        "alarm": lambda: _without_alarm_state(client("cloudwatch").describe_alarms(AlarmNames=[name])),
        "streams": lambda: client("logs").describe_log_streams(logGroupName=name),
        "parameter": lambda: client("ssm").get_parameter(Name=f"/{name}"),
        "pipeline": lambda: sagemaker.describe_pipeline(PipelineName=name),
        "tags": lambda: sagemaker.list_tags(ResourceArn=arn),
        "model": lambda: sagemaker.describe_model(ModelName=name),
        "config": lambda: sagemaker.describe_endpoint_config(EndpointConfigName=name),
        "group": lambda: sagemaker.describe_model_package_group(ModelPackageGroupName=name),
    }


def _without(describe_resources: dict[str, Any], *passing: str) -> dict[str, Any]:
    return {name: value for name, value in describe_resources.items() if name not in passing}
