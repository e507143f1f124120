"""Manual changes of an account, each of which gives upsert something to repair or destroy something to remove."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from pipeline.account import tags
from tests.policies.arns import ACCOUNT, REGION, role
from tests.proof.environment import ProofEnvironment
from tests.support.waiting import until

ManualChange = Callable[[ProofEnvironment], None]
DEPLOY = "sagemaker-dog-breeds-deploy-endpoint"
_BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
_EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
_LASTS = {
    "RoleArn": role("pedigree-job"),
    "AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": ["sleep", "60"]},
    "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
}
_WORKS = {
    "Version": "2020-12-01",
    "Parameters": [],
    "Steps": [{"Name": "Work", "Type": "Processing", "Arguments": _LASTS}],
}


def without_tags(env: ProofEnvironment) -> None:
    """Leave the bucket only the tag of its owner."""
    owner = [tag for tag in tags.pairs(tags.wanted(env.settings)) if tag["Key"] == "pedigree:pipeline"]
    env.root("s3").put_bucket_tagging(Bucket=_BUCKET, Tagging={"TagSet": owner})


def without_protection(env: ProofEnvironment) -> None:
    """Leave the bucket open and unversioned, without rules and policy: AWS itself makes a new one private."""
    objects = env.root("s3")
    objects.delete_public_access_block(Bucket=_BUCKET)
    objects.put_bucket_versioning(Bucket=_BUCKET, VersioningConfiguration={"Status": "Suspended"})
    objects.delete_bucket_lifecycle(Bucket=_BUCKET)
    objects.delete_bucket_policy(Bucket=_BUCKET)


def another_trust(env: ProofEnvironment) -> None:
    """Let another principal assume the role."""
    trust = json.dumps(env.documents["operator"].trust)
    env.root("iam").update_assume_role_policy(RoleName="pedigree-pipeline", PolicyDocument=trust)


def another_role(env: ProofEnvironment) -> None:
    """Put another role into the instance profile."""
    profile = {"InstanceProfileName": "pedigree-ec2"}
    iam = env.root("iam")
    for attached in iam.get_instance_profile(**profile)["InstanceProfile"]["Roles"]:
        iam.remove_role_from_instance_profile(**profile, RoleName=attached["RoleName"])
    iam.add_role_to_instance_profile(**profile, RoleName="pedigree-model")


def another_time(env: ProofEnvironment) -> None:
    """Change the queue's visibility timeout."""
    url = env.root("sqs").get_queue_url(QueueName="dog-breeds-await-endpoint")["QueueUrl"]
    env.root("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})


def another_size(env: ProofEnvironment) -> None:
    """Change the function's code, memory and reserved concurrency."""
    functions = env.root("lambda")
    functions.update_function_code(FunctionName=DEPLOY, ZipFile=_EMPTY_ZIP)
    functions.update_function_configuration(FunctionName=DEPLOY, MemorySize=512)
    functions.put_function_concurrency(FunctionName=DEPLOY, ReservedConcurrentExecutions=1)


def another_version(env: ProofEnvironment) -> None:
    """Route half of the calls to another version."""
    functions = env.root("lambda")
    functions.update_alias(FunctionName=DEPLOY, Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})


def kept_warm(env: ProofEnvironment) -> None:
    """Provision concurrency that the settings do not ask for."""
    qualified = {"FunctionName": DEPLOY, "Qualifier": "live"}
    env.root("lambda").put_provisioned_concurrency_config(**qualified, ProvisionedConcurrentExecutions=1)


def switched_off(env: ProofEnvironment) -> None:
    """Disable the event source mappings."""
    functions = env.root("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)


def for_another_rule(env: ProofEnvironment) -> None:
    """Let another rule invoke the function."""
    named = {"FunctionName": DEPLOY, "Qualifier": "live", "StatementId": "pedigree-approved"}
    functions = env.root("lambda")
    with suppress(ClientError):
        functions.remove_permission(**named)
    source = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/another"
    given = {"Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com", "SourceArn": source}
    functions.add_permission(**named, **given)


def another_definition(env: ProofEnvironment) -> None:
    """Change the pipeline's definition."""
    text = json.dumps({**_WORKS, "Steps": []})
    env.root("sagemaker").update_pipeline(PipelineName="dog-breeds", PipelineDefinition=text)


def nothing(_stage: ProofEnvironment) -> None:
    """Change nothing."""


MANUAL_CHANGES: Mapping[str, tuple[ManualChange, ...]] = {
    f"Bucket {_BUCKET}": (without_tags, without_protection),
    "Role pedigree-pipeline": (another_trust,),
    "InstanceProfile pedigree-ec2": (another_role,),
    "Queue dog-breeds-await-endpoint": (another_time,),
    f"LambdaFunction {DEPLOY}": (another_size, another_version),
    "EventSource": (switched_off,),
    "Approval dog-breeds-approved": (for_another_rule,),
    "ModelGroup": (nothing,),
    "ManagedPipeline dog-breeds": (another_definition,),
    f"ProvisionedConcurrency {DEPLOY}": (kept_warm,),
}


def running_execution(env: ProofEnvironment) -> None:
    """Keep an execution running."""
    root = env.root("sagemaker")
    if not root.list_pipelines()["PipelineSummaries"]:
        return

    def statuses() -> set[str]:
        found = root.list_pipeline_executions(PipelineName="dog-breeds")["PipelineExecutionSummaries"]
        return {execution["PipelineExecutionStatus"] for execution in found}

    until(lambda: "Stopping" not in statuses(), what="an earlier execution to have stopped")
    if "Executing" not in statuses():
        root.update_pipeline(PipelineName="dog-breeds", PipelineDefinition=json.dumps(_WORKS))
        root.start_pipeline_execution(PipelineName="dog-breeds")


def leftovers(env: ProofEnvironment) -> None:
    """Create what executions create, with the pipeline's tag: an endpoint with all that belongs to it."""
    labels = {"Tags": tags.pairs(tags.wanted(env.settings))}
    root = env.root("sagemaker")
    named = {"ExecutionRoleArn": role("pedigree-model"), "PrimaryContainer": {"Image": "image"}, **labels}
    variant = {"VariantName": "AllTraffic", "ModelName": "dog-breeds-v1", "InstanceType": "ml.m5.large"}
    makes: tuple[Callable[[], Any], ...] = (
        lambda: root.create_model(ModelName="dog-breeds-v1", **named),
        lambda: root.create_endpoint_config(
            EndpointConfigName="dog-breeds-v1", ProductionVariants=[{**variant, "InitialInstanceCount": 1}], **labels
        ),
        lambda: root.create_endpoint(EndpointName="dog-breeds", EndpointConfigName="dog-breeds-v1", **labels),
        lambda: root.create_model_package(ModelPackageGroupName="dog-breeds"),
    )
    if "made" not in env.state:
        for make in makes:
            make()
        _watched(env, labels)
        env.state["made"] = True


def attached_policy(env: ProofEnvironment) -> None:
    """Attach another policy to a role."""
    iam = env.root("iam")
    document = json.dumps(env.documents["scheduler"].policy)
    with suppress(ClientError):
        iam.create_policy(PolicyName="another", PolicyDocument=document)
    with suppress(ClientError):
        iam.attach_role_policy(RoleName="pedigree-pipeline", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/another")


def _watched(env: ProofEnvironment, labels: Mapping[str, Any]) -> None:
    """Let the endpoint scale and have an alarm."""
    env.root("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId="endpoint/dog-breeds/variant/AllTraffic",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MinCapacity=1,
        MaxCapacity=2,
    )
    env.root("cloudwatch").put_metric_alarm(
        AlarmName="dog-breeds-rollback-on-errors",
        MetricName="Invocation5XXErrors",
        Namespace="AWS/SageMaker",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        **labels,
    )
