"""The functions at work on an endpoint, each invoked with the event that the pipeline sends it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from tests.policies.places import role
from tests.proof.running import BUCKET, PIPELINE, status, until
from tests.proof.stage import Stage

ENDPOINT, VARIANT = "dog-breeds", "AllTraffic"
_TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/{ENDPOINT}/variant/{VARIANT}",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
_OLD = tuple(f"{ENDPOINT}-v1-{number:010d}" for number in range(7))


def event(stage: Stage, step: str) -> dict[str, Any]:
    """What a step of the last execution has sent."""
    identifier = stage.kept["done"].rpartition("/")[2]
    found = stage.local.world.store.get("execution-step", f"{identifier}/{step}")
    return dict(found["_arguments"])


def invoked(stage: Stage, function: str, payload: Mapping[str, Any]) -> str:
    """What a function says of why it failed, or of what it left undone."""
    named = {"FunctionName": f"sagemaker-{PIPELINE}-{function}", "Qualifier": "live"}
    answer = stage.root("lambda").invoke(**named, Payload=json.dumps(payload).encode())
    told = answer["Payload"].read().decode()
    return told if "FunctionError" in answer else stage.trouble()


def deploy(stage: Stage, **changes: Any) -> str:
    """Deploy the version of the last execution once more, as another one would, and see that it serves."""
    at_rest(stage)
    number = stage.kept["number"] = stage.kept.get("number", 0) + 1
    words = invoked(
        stage, "deploy-endpoint", {**event(stage, "DeployEndpoint"), "execution_id": str(number), **changes}
    )
    return words or at_rest(stage)


def at_rest(stage: Stage) -> str:
    """Why the endpoint does not serve what it should; nothing, if it does."""
    root = stage.root("sagemaker")

    def is_still() -> Any:
        found = root.describe_endpoint(EndpointName=ENDPOINT)
        return found if found["EndpointStatus"] in ("InService", "Failed") else None

    return str(until(is_still, "the endpoint to be at rest").get("FailureReason", ""))


def another_machine(stage: Stage) -> str:
    """The type of machine changes, for which scaling is taken off."""
    others = {"ml.c5.xlarge": "ml.m5.xlarge"}
    chosen = stage.kept["machine"] = others.get(stage.kept.get("machine", ""), "ml.c5.xlarge")
    return deploy(stage, instance_type=chosen)


def without_alarms(stage: Stage) -> str:
    """No alarm is to watch over errors."""
    return deploy(stage, alarm_5xx_percent=0)


def scaled(stage: Stage) -> None:
    """The endpoint scales."""
    at_rest(stage)
    stage.root("application-autoscaling").register_scalable_target(**_TARGET, MinCapacity=1, MaxCapacity=2)


def unscaled(stage: Stage) -> None:
    """The endpoint does not scale."""
    at_rest(stage)
    with suppress(ClientError):
        stage.root("application-autoscaling").deregister_scalable_target(**_TARGET)


def old_ones(stage: Stage) -> None:
    """There are more configurations and models than are kept."""
    root = stage.root("sagemaker")
    variant = {"VariantName": VARIANT, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    for name in _OLD:
        with suppress(ClientError):
            container = {
                "Image": "image",
                "ModelDataUrl": f"s3://{BUCKET}/pedigree/executions/none/Evaluate/champion/model.tar.gz",
            }
            root.create_model(ModelName=name, ExecutionRoleArn=role("pedigree-model"), PrimaryContainer=container)
        with suppress(ClientError):
            root.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[{**variant, "ModelName": name}])


def watched(stage: Stage) -> None:
    """An alarm watches over errors."""
    stage.root("cloudwatch").put_metric_alarm(
        AlarmName=f"{ENDPOINT}-rollback-on-errors",
        MetricName="Invocation5XXErrors",
        Namespace="AWS/SageMaker",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )


def broken(stage: Stage) -> None:
    """The endpoint has failed, since its model is nowhere."""
    old_ones(stage)
    root, named = stage.root("sagemaker"), {"EndpointName": ENDPOINT}
    with suppress(ClientError):
        root.delete_endpoint(**named)

    def made() -> bool:
        with suppress(ClientError):
            root.create_endpoint(**named, EndpointConfigName=_OLD[0])
            return True
        return False

    until(made, "the endpoint to be gone")
    at_rest(stage)


def scaling(stage: Stage) -> str:
    """Let the endpoint scale."""
    return invoked(stage, "configure-autoscaling", {**event(stage, "ConfigureAutoscaling"), "outcome": "in-service"})


def fixed(stage: Stage) -> str:
    """Let the endpoint have one instance more, or one less, and no scaling."""
    root = stage.root("sagemaker")
    (variant,) = root.describe_endpoint(EndpointName=ENDPOINT)["ProductionVariants"]
    count = 3 - variant["CurrentInstanceCount"]
    wanted = {**event(stage, "ConfigureAutoscaling"), "outcome": "in-service"}
    return invoked(stage, "configure-autoscaling", {**wanted, "min_capacity": count, "max_capacity": count})


def in_vain(stage: Stage) -> str:
    """A step that waits for an endpoint that is gone is told so."""
    root, name = stage.root("sagemaker"), f"{ENDPOINT}-gone"
    if "vain" not in stage.kept:
        sent = {**event(stage, "AwaitEndpoint"), "outcome": "deploying", "endpoint_name": name}
        queue = stage.root("sqs").get_queue_url(QueueName="dog-breeds-await-endpoint")["QueueUrl"]
        waits = {"Name": "Wait", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": sent}
        definition = json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": [waits]})
        root.update_pipeline(PipelineName=PIPELINE, PipelineDefinition=definition)
        stage.kept["vain"] = root.start_pipeline_execution(PipelineName=PIPELINE)["PipelineExecutionArn"]
    arn = stage.kept["vain"]
    until(lambda: stage.trouble() or status(stage, arn) == "Failed", "the execution to fail")
    return stage.trouble()
