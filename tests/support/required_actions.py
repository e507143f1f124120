"""A table of calls, with the actions and resources for which each needs a permission."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.policies.arns import ACCOUNT, REGION, arn, role, sagemaker
from tests.support.calls import EXECUTION, FUNCTION, TOKEN, UUID, client

QUEUE, QUEUE_URL = arn("sqs", "q"), f"http://127.0.0.1:1/{ACCOUNT}/q"
RULE, LOG = arn("events", "rule/r"), arn("logs", "log-group:g")
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


def passed(name: str) -> str:
    return f"iam:PassRole {role(name)}"


Row = tuple[str, str, Mapping[str, Any], set[str]]


def each(service: str, prefix: str, resource: str, members: Mapping[str, Any], *operations: str) -> Iterator[Row]:
    """Operations that each need the action of their own name on one resource."""
    for operation in operations:
        action = client(service).meta.method_to_api_mapping[operation]
        yield service, operation, members, {f"{prefix}:{action} {resource}"}


def named(noun: str, member: str, *operations: str) -> Iterator[Row]:
    return each("sagemaker", "sagemaker", sagemaker(f"{noun}/n"), {member: "n"}, *operations)


def pipelines_and_jobs() -> Iterator[Row]:
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
    group = ("describe_model_package_group", "delete_model_package_group")
    yield from named("model-package-group", "ModelPackageGroupName", *group)
    versions = {"ModelPackageGroupName": "g"}
    yield from each("sagemaker", "sagemaker", sagemaker("model-package/g/*"), versions, "list_model_packages")
    everything = ("list_models", "list_endpoint_configs", "list_domains", "list_pipelines", "list_training_jobs")
    yield from each("sagemaker", "sagemaker", "*", {}, *everything)


def executions_and_endpoints() -> Iterator[Row]:
    of_execution = (
        *("describe_pipeline_execution", "describe_pipeline_definition_for_execution", "list_pipeline_execution_steps"),
        *("list_pipeline_parameters_for_execution",),
    )
    yield from each("sagemaker", "sagemaker", EXECUTION, {"PipelineExecutionArn": EXECUTION}, *of_execution)
    again = {"PipelineExecutionArn": EXECUTION, "ClientRequestToken": "t" * 32}
    yield from each("sagemaker", "sagemaker", EXECUTION, again, "stop_pipeline_execution", "retry_pipeline_execution")
    answers = ("send_pipeline_execution_step_success", "send_pipeline_execution_step_failure")
    yield from each("sagemaker", "sagemaker", EXECUTION, {"CallbackToken": TOKEN}, *answers)
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
    invocation = {"EndpointName": "e", "Body": b"x"}
    yield from each("sagemaker-runtime", "sagemaker", endpoint, invocation, "invoke_endpoint")


def queues() -> Iterator[Row]:
    queue = ("get_queue_attributes", "delete_queue", "receive_message", "list_queue_tags")
    yield from each("sqs", "sqs", QUEUE, {"QueueUrl": QUEUE_URL}, *queue)
    yield from each("sqs", "sqs", QUEUE, {"QueueUrl": QUEUE_URL, "MessageBody": "m"}, "send_message")
    yield from each("sqs", "sqs", QUEUE, {"QueueUrl": QUEUE_URL, "ReceiptHandle": "m"}, "delete_message")
    yield from each("sqs", "sqs", QUEUE, {"QueueUrl": QUEUE_URL, "Attributes": {}}, "set_queue_attributes")
    yield from each("sqs", "sqs", QUEUE, {"QueueUrl": QUEUE_URL, "Tags": {"a": "b"}}, "tag_queue")
    yield from each("sqs", "sqs", QUEUE, {"QueueName": "q"}, "get_queue_url", "create_queue")


def functions() -> Iterator[Row]:
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
    with_count = {**live, "ProvisionedConcurrentExecutions": 1}
    yield from each("lambda", "lambda", f"{FUNCTION}:live", with_count, "put_provisioned_concurrency_config")
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


def roles() -> Iterator[Row]:
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


def rules_and_logs() -> Iterator[Row]:
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


def metrics_and_machines() -> Iterator[Row]:
    alarmed = {"AlarmName": "a", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold"}
    yield from each("cloudwatch", "cloudwatch", ALARM, alarmed, "put_metric_alarm")
    yield from each("cloudwatch", "cloudwatch", ALARM, {"AlarmNames": ["a"]}, "delete_alarms")
    yield from each("cloudwatch", "cloudwatch", "*", {"AlarmNames": ["a"]}, "describe_alarms")
    scaling, prefix = "application-autoscaling", "application-autoscaling"
    yield from each(scaling, prefix, TARGET, VARIANT, "register_scalable_target", "deregister_scalable_target")
    yield from each(scaling, prefix, TARGET, {**VARIANT, "PolicyName": "p"}, "put_scaling_policy")
    listings = ("describe_scalable_targets", "describe_scaling_policies", "describe_scaling_activities")
    yield from each(scaling, prefix, "*", {"ServiceNamespace": "sagemaker"}, *listings)
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
        {f"sagemaker:CreateEndpoint {sagemaker(resource)}" for resource in ("endpoint/e", "endpoint-config/c")},
    ),
    (
        "sagemaker",
        "update_endpoint",
        {"EndpointName": "e", "EndpointConfigName": "c"},
        {f"sagemaker:UpdateEndpoint {sagemaker(resource)}" for resource in ("endpoint/e", "endpoint-config/c")},
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
        {
            *("s3:DeleteObject arn:aws:s3:::b/k", "s3:DeleteObject arn:aws:s3:::b/l"),
            "s3:DeleteObjectVersion arn:aws:s3:::b/l",
        },
    ),
    (
        "s3",
        "copy_object",
        {"Bucket": "b", "Key": "k", "CopySource": {"Bucket": "c", "Key": "l"}},
        {"s3:PutObject arn:aws:s3:::b/k", "s3:GetObject arn:aws:s3:::c/l"},
    ),
    ("s3", "head_bucket", {"Bucket": "b"}, {"s3:ListBucket arn:aws:s3:::b"}),
    ("s3", "create_bucket", {"Bucket": "b"}, {"s3:CreateBucket arn:aws:s3:::b"}),
    (
        "s3",
        "create_bucket",
        {"Bucket": "b", "CreateBucketConfiguration": {"Tags": TAGS}},
        {"s3:CreateBucket arn:aws:s3:::b", "s3:TagResource arn:aws:s3:::b"},
    ),
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
            *(
                f"ec2:RunInstances {arn('ec2', resource)}"
                for resource in ("instance/*", "volume/*", "network-interface/*")
            ),
            *(f"ec2:RunInstances {arn('ec2', resource)}" for resource in ("subnet/subnet-1", "security-group/sg-1")),
            f"ec2:RunInstances {arn('ec2', 'security-group/sg-2')}",
            f"ec2:RunInstances arn:aws:ec2:{REGION}::image/ami-1",
            f"ec2:CreateTags {arn('ec2', 'instance/*')}",
            f"iam:PassRole {role('ec2')}",
        },
    ),
)


ROWS: tuple[Row, ...] = (
    *pipelines_and_jobs(),
    *executions_and_endpoints(),
    *queues(),
    *functions(),
    *roles(),
    *rules_and_logs(),
    *metrics_and_machines(),
    *SEVERAL,
)
