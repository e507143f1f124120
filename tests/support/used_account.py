"""An account in which the pipeline has worked: executions left models and an endpoint; another team has things, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from moto.sagemaker.models import sagemaker_backends

from tests.support.accounts import account, apply_resources, client, upsert_resources
from tests.support.fakes.aws import ACCOUNT, REGION

BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
PIPELINE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/dog-breeds"
TAGS = [{"Key": "pedigree:pipeline", "Value": PIPELINE}]
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/pedigree-model"


def use_account(handlers: Path) -> None:
    """Upsert, and leave what executions leave; another team's endpoint is there, too."""
    apply_resources(upsert_resources(handlers), account())
    start_execution("dog-breeds", TAGS)
    schedule("dog-breeds", PIPELINE)
    deploy("dog-breeds-e1", TAGS)
    deploy("cats", [{"Key": "team", "Value": "cats"}])
    client("sagemaker").create_model_package(ModelPackageGroupName="dog-breeds")
    for key in ("pedigree/executions/e1/model.tar.gz", "pedigree/executions/e1/model.tar.gz"):
        client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"weights")


def deploy(name: str, tags: list[dict[str, str]]) -> None:
    """Create a model with an endpoint, scaling and an alarm."""
    sagemaker = client("sagemaker")
    sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": "x"}, ExecutionRoleArn=_ROLE, Tags=tags)
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


def start_execution(name: str, tags: list[dict[str, str]]) -> str:
    """Start an execution of a pipeline, which is created unless it exists; the execution's ARN."""
    sagemaker = client("sagemaker")
    definition = json.dumps({"Version": "2020-12-01", "Steps": []})
    made: dict[str, Any] = {"PipelineDefinition": definition, "RoleArn": _ROLE, "ClientRequestToken": "x" * 32}
    if account().find("sagemaker", "describe_pipeline", PipelineName=name) is None:
        sagemaker.create_pipeline(PipelineName=name, Tags=tags, **made)
    started = sagemaker.start_pipeline_execution(PipelineName=name, ClientRequestToken="y" * 32)
    execution = sagemaker_backends[ACCOUNT][REGION].pipelines[name].pipeline_executions[started["PipelineExecutionArn"]]
    execution.pipeline_execution_status = "Executing"
    return str(started["PipelineExecutionArn"])


def schedule(name: str, target: str) -> None:
    client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression="rate(7 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": target, "RoleArn": _ROLE},
    )
