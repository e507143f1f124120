"""The permissions of the roles that jobs, models and functions run as: data, images, logs, keys, networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.checks.jobs import JobRequest
from pedigree.checks.roles.permission import PolicyConditions, RequiredPermission, named_actions
from pedigree.checks.roles.resource_names import ResourceNames
from pedigree.language.definition import Step
from pedigree.language.expressions import is_expression
from pedigree.language.pointers import at, entries

_LOGS = "logs:CreateLogGroup CreateLogStream DescribeLogStreams PutLogEvents"
_PULL = "ecr:BatchCheckLayerAvailability BatchGetImage GetDownloadUrlForLayer"
_ATTACH = "ec2:CreateNetworkInterfacePermission DeleteNetworkInterface DeleteNetworkInterfacePermission"
_SEE = "ec2:DescribeDhcpOptions DescribeNetworkInterfaces DescribeSecurityGroups DescribeSubnets DescribeVpcs"
_GROUPS = {"Processing": ("ProcessingJobs",), "Training": ("TrainingJobs",), "Tuning": ("TrainingJobs",)}


@dataclass(frozen=True)
class WorkloadRole:
    """A role in one request of the definition, by its name, with the pointer to the request."""

    name: str
    resources: ResourceNames
    pointer: str

    def require(
        self, purpose: str, actions: str, *resources: str, conditions: PolicyConditions = ()
    ) -> RequiredPermission:
        """A permission of this role; the actions are in the short form of named_actions."""
        return RequiredPermission(self.name, purpose, named_actions(actions), resources, self.pointer, conditions)

    def reads(self, value: Any) -> Iterator[RequiredPermission]:
        """Read the objects under an S3 address, or the one object that it names."""
        bucket_and_key = self.resources.bucket_and_key(value)
        if bucket_and_key:
            bucket, key = f"arn:{self.resources.partition}:s3:::{bucket_and_key[0]}", bucket_and_key[1]
            last = key.rpartition("/")[2]
            names = [f"{key}*"] if not last or last.endswith("*") else [key]
            names += [f"{key}/*"] if last and "." not in last and not last.endswith("*") else []
            yield self.require("ReadInputs", "s3:GetObject", *(f"{bucket}/{name}" for name in dict.fromkeys(names)))
            prefix = (("StringLike", "s3:prefix", (f"{key}*".replace("**", "*"),)),)
            yield self.require("ListInputs", "s3:ListBucket", bucket, conditions=prefix)

    def writes(self, value: Any) -> Iterator[RequiredPermission]:
        """Write objects under an S3 address."""
        bucket_and_key = self.resources.bucket_and_key(value)
        if bucket_and_key:
            bucket, key = bucket_and_key
            objects = f"{key.rstrip('/')}/*".removeprefix("/")
            arn = f"arn:{self.resources.partition}:s3:::{bucket}/{objects}"
            yield self.require("WriteResults", "s3:AbortMultipartUpload PutObject", arn)

    def reads_and_writes(self, value: Any) -> Iterator[RequiredPermission]:
        """Write objects, and read them again when the job resumes."""
        yield from self.writes(value)
        yield from self.reads(f"{self.resources.text(value).rstrip('/')}/" if value else None)

    def pulls(self, image: Any) -> Iterator[RequiredPermission]:
        """Pull an image from ECR."""
        repository = self.resources.repository(image)
        if repository:
            yield self.require("SignInToImages", "ecr:GetAuthorizationToken", "*")
            yield self.require("PullImages", _PULL, repository)

    def logs(self, kind: str, suffix: str = "") -> Iterator[RequiredPermission]:
        """Write logs and metrics. The suffix is for kinds of which each resource has its own log group."""
        name = f"/aws/sagemaker/{kind}"
        arn = self.resources.arn("logs", f"log-group:{name}{suffix}")
        yield self.require("WriteLogs", _LOGS, arn, f"{arn}:*")
        namespace = (("StringEquals", "cloudwatch:namespace", (name,)),)
        yield self.require("WriteMetrics", "cloudwatch:PutMetricData", "*", conditions=namespace)

    def encrypts(self, key: Any) -> Iterator[RequiredPermission]:
        """Encrypt and decrypt objects with a KMS key."""
        if key:
            arn = self.resources.kms_key(key)
            via = (("StringEquals", "kms:ViaService", (f"s3.{self.resources.region}.amazonaws.com",)),)
            yield self.require("UseOutputKeys", "kms:Decrypt GenerateDataKey", arn, conditions=via)

    def mounts(self, key: Any) -> Iterator[RequiredPermission]:
        """Mount a volume that is encrypted with a KMS key."""
        if key:
            arn = self.resources.kms_key(key)
            yield self.require("SeeVolumeKeys", "kms:DescribeKey", arn)
            granted = (("Bool", "kms:GrantIsForAWSResource", ("true",)),)
            yield self.require("LendVolumeKeys", "kms:CreateGrant", arn, conditions=granted)

    def attaches(self, network: Any) -> Iterator[RequiredPermission]:
        """Attach network interfaces in subnets, with security groups."""
        if not isinstance(network, Mapping) or not network:
            return
        interface = self.resources.arn("ec2", "network-interface/*")
        yield self.require("AttachToNetwork", "ec2:CreateNetworkInterface", interface)
        for member, noun in (("Subnets", "subnet"), ("SecurityGroupIds", "security-group")):
            ids = network.get(member)
            for identifier in ids if isinstance(ids, list) else [ids]:
                arn = self.resources.arn("ec2", f"{noun}/{self.resources.text(identifier)}")
                yield self.require("AttachToNetwork", "ec2:CreateNetworkInterface", arn)
        yield self.require("ManageAttachments", _ATTACH, interface)
        yield self.require("SeeNetwork", _SEE, "*")


def of_job(role: WorkloadRole, job: JobRequest) -> Iterator[RequiredPermission]:
    """The permissions of a job's role."""
    yield from role.pulls(job.get(*job.image))
    for _, value in job.inputs():
        yield from role.reads(value)
    for _, output in entries(job.get("ProcessingOutputConfig", "Outputs")):
        yield from role.writes(at(output, "S3Output", "S3Uri"))
    yield from role.writes(job.get("OutputDataConfig", "S3OutputPath"))
    for member, key in (("CheckpointConfig", "S3Uri"), ("DebugHookConfig", "S3OutputPath")):
        yield from role.reads_and_writes(job.get(member, key))
    yield from role.writes(job.get("ProfilerConfig", "S3OutputPath"))
    for value in _addresses_in_arguments(job):
        yield from role.reads(value)
    for _, debug_rule in entries(job.get("DebugRuleConfigurations")):
        yield from role.pulls(debug_rule.get("RuleEvaluatorImage"))
    for group in _GROUPS[job.step.type]:
        yield from role.logs(group)
    yield from role.encrypts(job.get("OutputDataConfig", "KmsKeyId"))
    yield from role.encrypts(job.get("ProcessingOutputConfig", "KmsKeyId"))
    yield from role.mounts(job.get(*job.cluster, "VolumeKmsKeyId"))
    yield from role.attaches(job.get("VpcConfig"))
    yield from role.attaches(job.get("NetworkConfig", "VpcConfig"))


def _addresses_in_arguments(job: JobRequest) -> Iterator[Any]:
    """The hyperparameters, variables and arguments that look like S3 addresses: data, weights, the script itself."""
    given = job.get(job.hyperparameters) if job.trains else job.get("Environment")
    for value in given.values() if isinstance(given, Mapping) else ():
        text = value.strip('"') if isinstance(value, str) else value
        if is_expression(value) or str(text).startswith("s3://"):
            yield text
    arguments = job.get("AppSpecification", "ContainerArguments")
    for value in arguments if isinstance(arguments, list) else ():
        if is_expression(value) or str(value).startswith("s3://"):
            yield value


def of_model(role: WorkloadRole, step: Step, *, scores: bool) -> Iterator[RequiredPermission]:
    """The permissions of a model's role: to serve, and to score in transform jobs where there are any."""
    containers = [
        at(step.arguments, "PrimaryContainer"),
        *(container for _, container in entries(step.arguments.get("Containers"))),
    ]
    for container in containers:
        yield from role.pulls(at(container, "Image"))
        yield from role.reads(at(container, "ModelDataUrl"))
        yield from role.reads(at(container, "Environment", "SAGEMAKER_SUBMIT_DIRECTORY"))
    yield from role.logs("Endpoints", "/*")
    yield from role.logs("TransformJobs") if scores else ()
    yield from role.attaches(step.arguments.get("VpcConfig"))


def of_function(role: WorkloadRole, name: str) -> Iterator[RequiredPermission]:
    """The permission that the role of every function needs: to write its log."""
    arn = role.resources.arn("logs", f"log-group:/aws/lambda/{name}:*")
    yield role.require("WriteOwnLog", "logs:CreateLogStream PutLogEvents", arn)
