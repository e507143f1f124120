"""Invokes the functions around an endpoint with the events that the pipeline sends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from tests.policies.arns import role
from tests.proof.environment import ProofEnvironment
from tests.proof.running import PIPELINE, status
from tests.support.waiting import until

ENDPOINT, VARIANT = "dog-breeds", "AllTraffic"
_TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/{ENDPOINT}/variant/{VARIANT}",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
_OLD = tuple(f"{ENDPOINT}-v1-{number:010d}" for number in range(7))


def event(env: ProofEnvironment, step: str) -> dict[str, Any]:
    """The event that a step of the last execution has sent."""
    identifier = env.state["done"].rpartition("/")[2]
    found = env.local.world.store.get("execution-step", f"{identifier}/{step}")
    return dict(found["_arguments"])


def invoked(env: ProofEnvironment, function: str, payload: Mapping[str, Any]) -> str:
    """Invoke a function; why it failed, or what it was denied."""
    named = {"FunctionName": f"sagemaker-{PIPELINE}-{function}", "Qualifier": "live"}
    answer = env.root("lambda").invoke(**named, Payload=json.dumps(payload).encode())
    result = answer["Payload"].read().decode()
    return result if "FunctionError" in answer else env.denials()


def deploy(env: ProofEnvironment, **changes: Any) -> str:
    """Deploy the version of the last execution again, as another execution would, and wait until it serves."""
    until_at_rest(env)
    number = env.state["number"] = env.state.get("number", 0) + 1
    words = invoked(env, "deploy-endpoint", {**event(env, "DeployEndpoint"), "execution_id": str(number), **changes})
    return words or until_at_rest(env)


def until_at_rest(env: ProofEnvironment) -> str:
    """Wait until the endpoint is in service or has failed; its failure, or nothing."""
    root = env.root("sagemaker")

    def is_still() -> Any:
        found = root.describe_endpoint(EndpointName=ENDPOINT)
        return found if found["EndpointStatus"] in ("InService", "Failed") else None

    return str(until(is_still, what="the endpoint to be at rest").get("FailureReason", ""))


def another_machine(env: ProofEnvironment) -> str:
    """Deploy on another instance type, for which the function deregisters scaling."""
    others = {"ml.c5.xlarge": "ml.m5.xlarge"}
    chosen = env.state["machine"] = others.get(env.state.get("machine", ""), "ml.c5.xlarge")
    return deploy(env, instance_type=chosen)


def without_alarms(env: ProofEnvironment) -> str:
    """Deploy without an alarm."""
    return deploy(env, alarm_5xx_percent=0)


def scaled(env: ProofEnvironment) -> None:
    """Let the endpoint scale."""
    until_at_rest(env)
    env.root("application-autoscaling").register_scalable_target(**_TARGET, MinCapacity=1, MaxCapacity=2)


def unscaled(env: ProofEnvironment) -> None:
    """Let the endpoint not scale."""
    until_at_rest(env)
    with suppress(ClientError):
        env.root("application-autoscaling").deregister_scalable_target(**_TARGET)


def many_old_models(env: ProofEnvironment) -> None:
    """Create more configurations and models than the function keeps."""
    root = env.root("sagemaker")
    variant = {"VariantName": VARIANT, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    for name in _OLD:
        with suppress(ClientError):
            container = {"Image": "image"}
            root.create_model(ModelName=name, ExecutionRoleArn=role("pedigree-model"), PrimaryContainer=container)
        with suppress(ClientError):
            root.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[{**variant, "ModelName": name}])


def watched(env: ProofEnvironment) -> None:
    """Create the alarm about errors."""
    env.root("cloudwatch").put_metric_alarm(
        AlarmName=f"{ENDPOINT}-rollback-on-errors",
        MetricName="Invocation5XXErrors",
        Namespace="AWS/SageMaker",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )


def broken(env: ProofEnvironment) -> None:
    """Make the endpoint fail: its model does not exist."""
    many_old_models(env)
    root, named = env.root("sagemaker"), {"EndpointName": ENDPOINT}
    with suppress(ClientError):
        root.delete_endpoint(**named)

    def made() -> bool:
        with suppress(ClientError):
            root.create_endpoint(**named, EndpointConfigName=_OLD[0])
            return True
        return False

    until(made, what="the endpoint to be gone")
    until_at_rest(env)


def scaling(env: ProofEnvironment) -> str:
    """Let the endpoint scale."""
    return invoked(env, "configure-autoscaling", {**event(env, "ConfigureAutoscaling"), "outcome": "in-service"})


def fixed(env: ProofEnvironment) -> str:
    """Set another fixed number of instances, without scaling."""
    root = env.root("sagemaker")
    (variant,) = root.describe_endpoint(EndpointName=ENDPOINT)["ProductionVariants"]
    count = 3 - variant["CurrentInstanceCount"]
    payload = {**event(env, "ConfigureAutoscaling"), "outcome": "in-service"}
    return invoked(env, "configure-autoscaling", {**payload, "min_capacity": count, "max_capacity": count})


def wait_for_a_missing_endpoint(env: ProofEnvironment) -> str:
    """A step waits for an endpoint that does not exist, and fails."""
    root, name = env.root("sagemaker"), f"{ENDPOINT}-gone"
    if "vain" not in env.state:
        sent = {**event(env, "AwaitEndpoint"), "outcome": "deploying", "endpoint_name": name}
        queue = env.root("sqs").get_queue_url(QueueName="dog-breeds-await-endpoint")["QueueUrl"]
        waits = {"Name": "Wait", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": sent}
        definition = json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": [waits]})
        root.update_pipeline(PipelineName=PIPELINE, PipelineDefinition=definition)
        env.state["vain"] = root.start_pipeline_execution(PipelineName=PIPELINE)["PipelineExecutionArn"]
    arn = env.state["vain"]
    until(lambda: env.denials() or status(env, arn) == "Failed", what="the execution to fail")
    return env.denials()
