"""What calls need, read from what boto3 really sends: the actions and resources that policies are asked about."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from checks.iam import Request
from localaws.gate import needs, objects, reading
from localaws.gate.actions import TABLES
from localaws.gate.calls import path
from localaws.gate.models import input_shape, model
from localaws.protocol.errors import InvalidRequestError
from tests.policies.places import ACCOUNT, REGION, arn, role, sagemaker

SCOPES = {"cloudwatch": "monitoring", "resourcegroupstaggingapi": "tagging", "sagemaker-runtime": "sagemaker"}
DERIVED = {
    "sagemaker": {"CallbackExecution", "NewModelPackage"},
    "lambda": {"Function", "FunctionAlone", "MappedFunction"},
    "sqs": {"QueueName"},
    "iam": {"RoleArn", "InstanceService", "LinkedRole", "Path"},
    "events": {"RulePath"},
    "ssm": {"Places"},
    "ec2": {"Region", "CreateAction", "Service", "ProfileRole", "AllSubnets", "AllGroups", "Taggable"},
}
EXECUTION = sagemaker("pipeline/p/execution/abcdefghijkl")
QUEUE, QUEUE_URL = arn("sqs", "q"), f"http://127.0.0.1:1/{ACCOUNT}/q"
UUID = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
FUNCTION, RULE, LOG = arn("lambda", "function:f"), arn("events", "rule/r"), arn("logs", "log-group:g")
MAPPING, SCHEDULE = arn("lambda", f"event-source-mapping:{UUID}"), arn("scheduler", "schedule/default/s")
ALARM, TARGET = arn("cloudwatch", "alarm:a"), arn("application-autoscaling", "scalable-target/*")
PROFILE, INSTANCE = f"arn:aws:iam::{ACCOUNT}:instance-profile/i", arn("ec2", "instance/i-1")
JOB, MODEL = role("job"), role("model")
VARIANT = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/e/variant/v",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
TAGS = [{"Key": "a", "Value": "b"}]
TRAINING: Mapping[str, Any] = {
    "TrainingJobName": "j",
    "RoleArn": JOB,
    "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "i"},
    "OutputDataConfig": {"S3OutputPath": "s3://b/o", "KmsKeyId": "key"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1, "VolumeKmsKeyId": "vol"},
    "StoppingCondition": {"MaxRuntimeInSeconds": 1},
}
PROCESSING: Mapping[str, Any] = {
    "ProcessingJobName": "j",
    "RoleArn": JOB,
    "AppSpecification": {"ImageUri": "i"},
    "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
}
TUNING: Mapping[str, Any] = {
    "HyperParameterTuningJobName": "t",
    "HyperParameterTuningJobConfig": {"Strategy": "Random", "ResourceLimits": {"MaxParallelTrainingJobs": 1}},
    "TrainingJobDefinition": {key: value for key, value in TRAINING.items() if key not in ("TrainingJobName",)},
}
SCHEDULED: Mapping[str, Any] = {
    "Name": "s",
    "ScheduleExpression": "rate(1 day)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": sagemaker("pipeline/p"), "RoleArn": role("scheduler")},
}


@dataclass(frozen=True)
class KnownResources:
    """What the gate would look up."""

    account: str = ACCOUNT
    of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def tags(self, arn: str) -> Mapping[str, str]:
        return self.of.get(arn, {})

    def execution_of(self, token: str) -> str:
        return EXECUTION if token == "token-10ch" else ""

    def function_of(self, mapping: str, region: str) -> str:
        return FUNCTION if (mapping, region) == (UUID, REGION) else ""

    def role_named(self, name: str) -> str:
        return role(name)

    def role_in(self, profile: str) -> str:
        return role("ec2") if profile == "i" else ""


class SentError(Exception):
    """What boto3 would have sent."""

    def __init__(self, request: AWSPreparedRequest) -> None:
        super().__init__(request.url)
        self.request = request


@cache
def client(service: str) -> Any:
    made = boto3.client(
        service,
        region_name=REGION,
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="somebody",
        aws_secret_access_key="somebody",
    )

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        raise SentError(request)

    made.meta.events.register("before-send", send)
    return made


def sent(service: str, operation: str, **arguments: Any) -> dict[str, Any]:
    """A call as a WSGI server hands it on."""
    with pytest.raises(SentError) as raised:
        getattr(client(service), operation)(**arguments)
    request = raised.value.request
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    body = body if isinstance(body, bytes) else body.read()
    return environ(SCOPES.get(service, service), request.method, request.url, dict(request.headers), body)


def environ(service: str, method: str, url: str, headers: Mapping[str, Any], body: bytes = b"") -> dict[str, Any]:
    parts = urlsplit(url)
    told = {key: value.decode() if isinstance(value, bytes) else str(value) for key, value in headers.items()}
    return {
        "localaws.service": service,
        "localaws.region": REGION,
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote(parts.path),
        "QUERY_STRING": parts.query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{key.upper().replace('-', '_')}": value for key, value in told.items()},
    }


def needed(service: str, operation: str, known: KnownResources | None = None, **arguments: Any) -> list[Request]:
    asked = sent(service, operation, **arguments)
    if service == "s3":
        return list(objects.requests(asked))
    call = reading.read(asked)
    assert call is not None
    assert call.operation == client(service).meta.method_to_api_mapping[operation]
    return list(needs.requests(TABLES[call.service], call, known or KnownResources()))


def pairs(requests: list[Request]) -> set[str]:
    return {f"{one.action} {one.resource}" for one in requests}


def passed(name: str) -> str:
    return f"iam:PassRole {role(name)}"


Row = tuple[str, str, Mapping[str, Any], set[str]]


def each(service: str, prefix: str, resource: str, members: Mapping[str, Any], *operations: str) -> Iterator[Row]:
    """Operations of which each needs the action of its own name on one resource."""
    for operation in operations:
        action = client(service).meta.method_to_api_mapping[operation]
        yield service, operation, members, {f"{prefix}:{action} {resource}"}


def named(noun: str, member: str, *operations: str) -> Iterator[Row]:
    return each("sagemaker", "sagemaker", sagemaker(f"{noun}/n"), {member: "n"}, *operations)


def rows() -> Iterator[Row]:
    yield from named("pipeline", "PipelineName", "describe_pipeline", "list_pipeline_executions")
    yield from named("processing-job", "ProcessingJobName", "describe_processing_job", "stop_processing_job")
    yield from named("training-job", "TrainingJobName", "describe_training_job", "stop_training_job")
    tuning = ("describe_hyper_parameter_tuning_job", "stop_hyper_parameter_tuning_job")
    listing = "list_training_jobs_for_hyper_parameter_tuning_job"
    yield from named("hyper-parameter-tuning-job", "HyperParameterTuningJobName", *tuning, listing)
    yield from named("transform-job", "TransformJobName", "describe_transform_job", "stop_transform_job")
    yield from named("model", "ModelName", "describe_model", "delete_model")
    yield from named("endpoint-config", "EndpointConfigName", "describe_endpoint_config", "delete_endpoint_config")
    yield from named("endpoint", "EndpointName", "describe_endpoint", "delete_endpoint")
    group = ("describe_model_package_group", "delete_model_package_group", "list_model_packages")
    yield from named("model-package-group", "ModelPackageGroupName", *group)
    everything = ("list_models", "list_endpoint_configs", "list_domains", "list_pipelines", "list_training_jobs")
    yield from each("sagemaker", "sagemaker", "*", {}, *everything)
    of_execution = (
        *("describe_pipeline_execution", "describe_pipeline_definition_for_execution", "list_pipeline_execution_steps"),
        *("list_pipeline_parameters_for_execution",),
    )
    yield from each("sagemaker", "sagemaker", EXECUTION, {"PipelineExecutionArn": EXECUTION}, *of_execution)
    again = {"PipelineExecutionArn": EXECUTION, "ClientRequestToken": "t" * 32}
    yield from each("sagemaker", "sagemaker", EXECUTION, again, "stop_pipeline_execution", "retry_pipeline_execution")
    answers = ("send_pipeline_execution_step_success", "send_pipeline_execution_step_failure")
    yield from each("sagemaker", "sagemaker", EXECUTION, {"CallbackToken": "token-10ch"}, *answers)
    version = sagemaker("model-package/g/3")
    packages = ("describe_model_package", "delete_model_package")
    yield from each("sagemaker", "sagemaker", version, {"ModelPackageName": version}, *packages)
    yield from each("sagemaker", "sagemaker", version, {"ModelPackageArn": version}, "update_model_package")
    yield from each("sagemaker", "sagemaker", version, {"ResourceArn": version}, "list_tags")
    yield from each("sagemaker", "sagemaker", version, {"ResourceArn": version, "Tags": TAGS}, "add_tags")
    started = {"PipelineName": "n", "ClientRequestToken": "t" * 32}
    yield from each("sagemaker", "sagemaker", sagemaker("pipeline/n"), started, "start_pipeline_execution")
    sized = {"EndpointName": "e", "DesiredWeightsAndCapacities": [{"VariantName": "v"}]}
    endpoint = sagemaker("endpoint/e")
    yield from each("sagemaker", "sagemaker", endpoint, sized, "update_endpoint_weights_and_capacities")
    asked = {"EndpointName": "e", "Body": b"x"}
    yield from each("sagemaker-runtime", "sagemaker", endpoint, asked, "invoke_endpoint")
    queue = ("get_queue_attributes", "delete_queue", "receive_message", "list_queue_tags")
    yield from each("sqs", "sqs", QUEUE, {"QueueUrl": QUEUE_URL}, *queue)
    yield from each("sqs", "sqs", QUEUE, {"QueueUrl": QUEUE_URL, "MessageBody": "m"}, "send_message")
    yield from each("sqs", "sqs", QUEUE, {"QueueUrl": QUEUE_URL, "ReceiptHandle": "m"}, "delete_message")
    yield from each("sqs", "sqs", QUEUE, {"QueueUrl": QUEUE_URL, "Attributes": {}}, "set_queue_attributes")
    yield from each("sqs", "sqs", QUEUE, {"QueueUrl": QUEUE_URL, "Tags": {"a": "b"}}, "tag_queue")
    yield from each("sqs", "sqs", QUEUE, {"QueueName": "q"}, "get_queue_url", "create_queue")
    function = ("get_function", "get_function_configuration", "delete_function", "publish_version", "get_policy")
    more = ("delete_function_concurrency", "update_function_configuration", "update_function_code")
    yield from each("lambda", "lambda", FUNCTION, {"FunctionName": "f"}, *function, *more)
    reserved = {"FunctionName": "f", "ReservedConcurrentExecutions": 1}
    yield from each("lambda", "lambda", FUNCTION, reserved, "put_function_concurrency")
    alias = {"FunctionName": "f", "Name": "live"}
    yield from each("lambda", "lambda", FUNCTION, alias, "get_alias", "update_alias")
    yield from each("lambda", "lambda", FUNCTION, {**alias, "FunctionVersion": "1"}, "create_alias")
    live = {"FunctionName": "f", "Qualifier": "live"}
    provisioned = ("get_provisioned_concurrency_config", "delete_provisioned_concurrency_config")
    yield from each("lambda", "lambda", f"{FUNCTION}:live", live, *provisioned)
    kept = {**live, "ProvisionedConcurrentExecutions": 1}
    yield from each("lambda", "lambda", f"{FUNCTION}:live", kept, "put_provisioned_concurrency_config")
    permitted = {**live, "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    yield from each("lambda", "lambda", f"{FUNCTION}:live", permitted, "add_permission")
    yield from each("lambda", "lambda", f"{FUNCTION}:live", {**live, "StatementId": "s"}, "remove_permission")
    yield from each("lambda", "lambda", FUNCTION, {"Resource": FUNCTION}, "list_tags")
    yield from each("lambda", "lambda", FUNCTION, {"Resource": FUNCTION, "Tags": {"a": "b"}}, "tag_resource")
    yield from each("lambda", "lambda", "*", {}, "list_event_source_mappings", "list_functions")
    source = ("get_event_source_mapping", "update_event_source_mapping", "delete_event_source_mapping")
    yield from each("lambda", "lambda", MAPPING, {"UUID": UUID}, *source)
    connected = {"FunctionName": "f", "EventSourceArn": QUEUE}
    yield from each("lambda", "lambda", "*", connected, "create_event_source_mapping")
    of_role = ("get_role", "delete_role", "list_role_policies", "list_attached_role_policies")
    yield from each("iam", "iam", role("r"), {"RoleName": "r"}, *of_role)
    policy = {"RoleName": "r", "PolicyName": "p"}
    yield from each("iam", "iam", role("r"), policy, "get_role_policy", "delete_role_policy")
    yield from each("iam", "iam", role("r"), {**policy, "PolicyDocument": "{}"}, "put_role_policy")
    yield from each("iam", "iam", role("r"), {"RoleName": "r", "PolicyDocument": "{}"}, "update_assume_role_policy")
    yield from each("iam", "iam", role("r"), {"RoleName": "r", "Tags": TAGS}, "tag_role")
    attached = {"RoleName": "r", "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/p"}
    yield from each("iam", "iam", role("r"), attached, "attach_role_policy", "detach_role_policy")
    profile = ("get_instance_profile", "delete_instance_profile", "create_instance_profile")
    yield from each("iam", "iam", PROFILE, {"InstanceProfileName": "i"}, *profile)
    out = {"InstanceProfileName": "i", "RoleName": "r"}
    yield from each("iam", "iam", PROFILE, out, "remove_role_from_instance_profile")
    rule = ("put_rule", "describe_rule", "delete_rule")
    yield from each("events", "events", RULE, {"Name": "r"}, *rule)
    yield from each("events", "events", RULE, {"Rule": "r"}, "list_targets_by_rule")
    yield from each("events", "events", RULE, {"Rule": "r", "Ids": ["1"]}, "remove_targets")
    yield from each("events", "events", RULE, {"ResourceARN": RULE}, "list_tags_for_resource")
    yield from each("scheduler", "scheduler", SCHEDULE, {"Name": "s"}, "get_schedule", "delete_schedule")
    group_of = ("create_log_group", "delete_log_group", "describe_log_streams", "filter_log_events")
    yield from each("logs", "logs", LOG, {"logGroupName": "g"}, *group_of)
    yield from each("logs", "logs", LOG, {"logGroupName": "g", "retentionInDays": 1}, "put_retention_policy")
    stream = {"logGroupName": "g", "logStreamName": "s"}
    yield from each("logs", "logs", f"{LOG}:log-stream:s", stream, "get_log_events", "create_log_stream")
    written = {**stream, "logEvents": [{"timestamp": 1, "message": "m"}]}
    yield from each("logs", "logs", f"{LOG}:log-stream:s", written, "put_log_events")
    yield from each("logs", "logs", "*", {}, "describe_log_groups")
    yield from each("logs", "logs", LOG, {"resourceArn": LOG}, "list_tags_for_resource")
    alarmed = {"AlarmName": "a", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold"}
    yield from each("cloudwatch", "cloudwatch", ALARM, alarmed, "put_metric_alarm")
    yield from each("cloudwatch", "cloudwatch", ALARM, {"AlarmNames": ["a"]}, "delete_alarms")
    yield from each("cloudwatch", "cloudwatch", "*", {"AlarmNames": ["a"]}, "describe_alarms")
    scaling, prefix = "application-autoscaling", "application-autoscaling"
    yield from each(scaling, prefix, TARGET, VARIANT, "register_scalable_target", "deregister_scalable_target")
    yield from each(scaling, prefix, TARGET, {**VARIANT, "PolicyName": "p"}, "put_scaling_policy")
    seen = ("describe_scalable_targets", "describe_scaling_policies", "describe_scaling_activities")
    yield from each(scaling, prefix, "*", {"ServiceNamespace": "sagemaker"}, *seen)
    yield from each("resourcegroupstaggingapi", "tag", "*", {}, "get_resources")
    lists = ("describe_images", "describe_instances", "describe_subnets", "describe_security_groups")
    yield from each("ec2", "ec2", "*", {}, *lists)
    yield from each("ec2", "ec2", INSTANCE, {"InstanceIds": ["i-1"]}, "terminate_instances")
    yield from each("ec2", "ec2", INSTANCE, {"InstanceId": "i-1"}, "get_console_output")
    published = f"arn:aws:ssm:{REGION}::parameter/aws/service/deeplearning/ami"
    yield from each("ssm", "ssm", published, {"Name": "/aws/service/deeplearning/ami"}, "get_parameter")
    yield from each("ssm", "ssm", arn("ssm", "parameter/own"), {"Name": "/own"}, "get_parameter")


SEVERAL: tuple[Row, ...] = (
    ("sts", "get_caller_identity", {}, set()),
    ("sts", "assume_role", {"RoleArn": JOB, "RoleSessionName": "ann"}, {f"sts:AssumeRole {JOB}"}),
    (
        "sagemaker",
        "create_training_job",
        {**TRAINING, "Tags": TAGS},
        {
            f"sagemaker:CreateTrainingJob {sagemaker('training-job/j')}",
            f"sagemaker:AddTags {sagemaker('training-job/j')}",
            passed("job"),
        },
    ),
    (
        "sagemaker",
        "create_processing_job",
        PROCESSING,
        {f"sagemaker:CreateProcessingJob {sagemaker('processing-job/j')}", passed("job")},
    ),
    (
        "sagemaker",
        "create_hyper_parameter_tuning_job",
        TUNING,
        {
            f"sagemaker:CreateHyperParameterTuningJob {sagemaker('hyper-parameter-tuning-job/t')}",
            passed("job"),
        },
    ),
    (
        "sagemaker",
        "create_model",
        {"ModelName": "m", "ExecutionRoleArn": MODEL},
        {f"sagemaker:CreateModel {sagemaker('model/m')}", passed("model")},
    ),
    (
        "sagemaker",
        "create_endpoint",
        {"EndpointName": "e", "EndpointConfigName": "c"},
        {f"sagemaker:CreateEndpoint {sagemaker(one)}" for one in ("endpoint/e", "endpoint-config/c")},
    ),
    (
        "sagemaker",
        "update_endpoint",
        {"EndpointName": "e", "EndpointConfigName": "c"},
        {f"sagemaker:UpdateEndpoint {sagemaker(one)}" for one in ("endpoint/e", "endpoint-config/c")},
    ),
    (
        "sagemaker",
        "create_pipeline",
        {"PipelineName": "p", "RoleArn": role("pipeline"), "ClientRequestToken": "t" * 32},
        {f"sagemaker:CreatePipeline {sagemaker('pipeline/p')}", passed("pipeline")},
    ),
    (
        "sagemaker",
        "create_model_package",
        {"ModelPackageGroupName": "g"},
        {f"sagemaker:CreateModelPackage {sagemaker('model-package/g/*')}"},
    ),
    (
        "lambda",
        "invoke",
        {"FunctionName": f"{FUNCTION}:live", "Payload": b"{}"},
        {f"lambda:InvokeFunction {FUNCTION}:live"},
    ),
    ("lambda", "invoke", {"FunctionName": "f", "Qualifier": "live"}, {f"lambda:InvokeFunction {FUNCTION}:live"}),
    (
        "lambda",
        "create_function",
        {"FunctionName": "f", "Role": role("deploy"), "Code": {}, "Tags": {"a": "b"}},
        {f"lambda:CreateFunction {FUNCTION}", f"lambda:TagResource {FUNCTION}", passed("deploy")},
    ),
    (
        "iam",
        "create_role",
        {"RoleName": "r", "AssumeRolePolicyDocument": "{}", "Tags": TAGS},
        {f"iam:CreateRole {role('r')}", f"iam:TagRole {role('r')}"},
    ),
    (
        "iam",
        "add_role_to_instance_profile",
        {"InstanceProfileName": "i", "RoleName": "r"},
        {f"iam:AddRoleToInstanceProfile {PROFILE}", f"iam:PassRole {role('r')}"},
    ),
    ("scheduler", "create_schedule", SCHEDULED, {f"scheduler:CreateSchedule {SCHEDULE}", passed("scheduler")}),
    (
        "events",
        "put_targets",
        {"Rule": "r", "Targets": [{"Id": "1", "Arn": QUEUE, "RoleArn": role("e")}]},
        {f"events:PutTargets {RULE}", f"iam:PassRole {role('e')}"},
    ),
    ("s3", "list_buckets", {}, {"s3:ListAllMyBuckets *"}),
    ("s3", "head_object", {"Bucket": "b", "Key": "k/a"}, {"s3:GetObject arn:aws:s3:::b/k/a"}),
    ("s3", "get_object", {"Bucket": "b", "Key": "a b+c"}, {"s3:GetObject arn:aws:s3:::b/a b+c"}),
    ("s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"x"}, {"s3:PutObject arn:aws:s3:::b/k"}),
    (
        "s3",
        "delete_objects",
        {"Bucket": "b", "Delete": {"Objects": [{"Key": "k"}, {"Key": "l", "VersionId": "1"}]}},
        {"s3:DeleteObject arn:aws:s3:::b/k", "s3:DeleteObjectVersion arn:aws:s3:::b/l"},
    ),
    (
        "s3",
        "copy_object",
        {"Bucket": "b", "Key": "k", "CopySource": {"Bucket": "c", "Key": "l"}},
        {"s3:PutObject arn:aws:s3:::b/k", "s3:GetObject arn:aws:s3:::c/l"},
    ),
    ("s3", "head_bucket", {"Bucket": "b"}, {"s3:ListBucket arn:aws:s3:::b"}),
    ("s3", "create_bucket", {"Bucket": "b"}, {"s3:CreateBucket arn:aws:s3:::b"}),
    ("s3", "delete_bucket", {"Bucket": "b"}, {"s3:DeleteBucket arn:aws:s3:::b"}),
    ("s3", "list_object_versions", {"Bucket": "b"}, {"s3:ListBucketVersions arn:aws:s3:::b"}),
    ("s3", "get_bucket_policy", {"Bucket": "b"}, {"s3:GetBucketPolicy arn:aws:s3:::b"}),
    ("s3", "get_bucket_encryption", {"Bucket": "b"}, {"s3:GetEncryptionConfiguration arn:aws:s3:::b"}),
    ("s3", "delete_bucket_lifecycle", {"Bucket": "b"}, {"s3:PutLifecycleConfiguration arn:aws:s3:::b"}),
    (
        "s3",
        "abort_multipart_upload",
        {"Bucket": "b", "Key": "k", "UploadId": "u"},
        {"s3:AbortMultipartUpload arn:aws:s3:::b/k"},
    ),
    (
        "ec2",
        "run_instances",
        {
            "ImageId": "ami-1",
            "MinCount": 1,
            "MaxCount": 1,
            "SubnetId": "subnet-1",
            "SecurityGroupIds": ["sg-1", "sg-2"],
            "IamInstanceProfile": {"Name": "i"},
            "TagSpecifications": [{"ResourceType": "instance", "Tags": TAGS}],
        },
        {
            *(f"ec2:RunInstances {arn('ec2', one)}" for one in ("instance/*", "volume/*", "network-interface/*")),
            *(f"ec2:RunInstances {arn('ec2', one)}" for one in ("subnet/subnet-1", "security-group/sg-1")),
            f"ec2:RunInstances {arn('ec2', 'security-group/sg-2')}",
            f"ec2:RunInstances arn:aws:ec2:{REGION}::image/ami-1",
            f"ec2:CreateTags {arn('ec2', 'instance/*')}",
            f"iam:PassRole {role('ec2')}",
        },
    ),
)


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "wanted"),
    [pytest.param(*row, id=f"{row[0]} {row[1]} {number}") for number, row in enumerate((*rows(), *SEVERAL))],
)
def test_a_call_needs(service: str, operation: str, arguments: Mapping[str, Any], wanted: set[str]) -> None:
    assert pairs(needed(service, operation, **arguments)) == wanted


def context_of(action: str, requests: list[Request]) -> Mapping[str, Any]:
    return next(one.context for one in requests if one.action == action)


def test_a_job_is_known_by_what_it_runs_on() -> None:
    network = {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    asked = {**TRAINING, "VpcConfig": network, "EnableNetworkIsolation": True}
    context = context_of("sagemaker:CreateTrainingJob", needed("sagemaker", "create_training_job", **asked))
    assert context == {
        "sagemaker:InstanceTypes": ["ml.m5.large"],
        "sagemaker:VpcSubnets": ["subnet-1", "subnet-2"],
        "sagemaker:VpcSecurityGroupIds": ["sg-1"],
        "sagemaker:VolumeKmsKey": ["vol"],
        "sagemaker:OutputKmsKey": ["key"],
        "sagemaker:NetworkIsolation": [True],
    }


def test_a_role_is_handed_to_the_service_that_will_take_it() -> None:
    handed = {
        ("scheduler", "create_schedule"): SCHEDULED,
        ("sagemaker", "create_training_job"): TRAINING,
        ("lambda", "create_function"): {"FunctionName": "f", "Role": role("deploy"), "Code": {}},
    }
    for (service, operation), arguments in handed.items():
        context = context_of("iam:PassRole", needed(service, operation, **arguments))
        assert context["iam:PassedToService"] == f"{service}.amazonaws.com"


def test_tags_of_a_request_and_of_a_resource_are_known() -> None:
    known = KnownResources(of={sagemaker("endpoint/e"): {"team": "dogs"}})
    requests = needed("sagemaker", "create_endpoint", known, EndpointName="e", EndpointConfigName="c", Tags=TAGS)
    assert requests[0].context == {"aws:TagKeys": ["a"], "aws:RequestTag/a": "b", "aws:ResourceTag/team": "dogs"}


def test_a_listing_says_its_prefix() -> None:
    (request,) = needed("s3", "list_objects_v2", Bucket="b", Prefix="a/b")
    assert (request.action, request.context) == ("s3:ListBucket", {"s3:prefix": "a/b"})


def test_a_mapping_is_known_by_its_function() -> None:
    (request,) = needed("lambda", "delete_event_source_mapping", UUID=UUID)
    assert request.context == {"lambda:FunctionArn": [FUNCTION]}


def test_an_operation_that_no_table_knows_is_itself_on_everything() -> None:
    assert pairs(needed("events", "list_archives")) == {"events:ListArchives *"}


@pytest.mark.parametrize(
    ("service", "path", "headers", "body"),
    [
        ("lambda", "/2015-03-31/functions/f?Action=ListFunctions", {}, b""),
        ("lambda", "/2015-03-31/functions/f", {"X-Amz-Target": "x.ListFunctions"}, b""),
        ("iam", "/?Action=ListRoles", {}, b"Action=DeleteRole&RoleName=r"),
        ("events", "/?Action=DeleteRule", {"X-Amz-Target": "AWSEvents.ListRules"}, b"{}"),
    ],
)
def test_what_could_be_two_operations_is_refused(service: str, path: str, headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="twice"):
        reading.read(environ(service, "POST", f"http://127.0.0.1{path}", headers, body))


@pytest.mark.parametrize("service", sorted(TABLES))
def test_tables_name_operations_and_members_that_there_are(service: str) -> None:
    table = TABLES[service]
    for operation, needs_ in table.needs.items():
        assert operation in model(table.model).operation_names
        shape = input_shape(table.model, operation)
        members = {*(shape.members if shape is not None else ()), *DERIVED.get(service, ())}
        for need in needs_:
            roots = [one[0] for one in map(path, re.findall(r"\{([\w.\[\]]+)", need.resource))]
            roots += [path(place)[0] for place in (*need.keys.values(), *filter(None, [need.only_with]))]
            assert not set(roots) - members, operation
