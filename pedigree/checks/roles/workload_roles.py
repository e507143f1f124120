"""What the roles need that jobs and models work as: their data, their images, their logs, keys and networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.checks.jobs import Job, at, entries
from pedigree.checks.roles.addresses import Addresses
from pedigree.checks.roles.need import Conditions, Need
from pedigree.language.definition import Step
from pedigree.language.expressions import is_expression

_LOGS = "logs:CreateLogGroup CreateLogStream DescribeLogStreams PutLogEvents"
_PULL = "ecr:BatchCheckLayerAvailability BatchGetImage GetDownloadUrlForLayer"
_ATTACH = "ec2:CreateNetworkInterfacePermission DeleteNetworkInterface DeleteNetworkInterfacePermission"
_SEE = "ec2:DescribeDhcpOptions DescribeNetworkInterfaces DescribeSecurityGroups DescribeSubnets DescribeVpcs"
_GROUPS = {"Processing": ("ProcessingJobs",), "Training": ("TrainingJobs",), "Tuning": ("TrainingJobs",)}


@dataclass(frozen=True)
class Worker:
    """A role at work in one request of a definition, which stands at a pointer."""

    role: str
    addresses: Addresses
    pointer: str

    def need(self, purpose: str, actions: str, *resources: str, conditions: Conditions = ()) -> Need:
        """A need of this role; actions are words behind the name of their service."""
        service, _, verbs = actions.partition(":")
        named = tuple(f"{service}:{verb}" for verb in verbs.split())
        return Need(self.role, purpose, named, resources, self.pointer, conditions)

    def reads(self, value: Any) -> Iterator[Need]:
        """Objects that begin with an address, or the one that it names."""
        place = self.addresses.bucket_and_key(value)
        if place:
            bucket, key = f"arn:{self.addresses.partition}:s3:::{place[0]}", place[1]
            last = key.rpartition("/")[2]
            names = [f"{key}*"] if not last or last.endswith("*") else [key]
            names += [f"{key}/*"] if last and "." not in last and not last.endswith("*") else []
            yield self.need("ReadInputs", "s3:GetObject", *(f"{bucket}/{name}" for name in dict.fromkeys(names)))
            listed = (("StringLike", "s3:prefix", (f"{key}*".replace("**", "*"),)),)
            yield self.need("ListInputs", "s3:ListBucket", bucket, conditions=listed)

    def writes(self, value: Any) -> Iterator[Need]:
        """Objects under an address."""
        place = self.addresses.bucket_and_key(value)
        if place:
            under = f"{place[1].rstrip('/')}/*".removeprefix("/")
            arn = f"arn:{self.addresses.partition}:s3:::{place[0]}/{under}"
            yield self.need("WriteResults", "s3:AbortMultipartUpload PutObject", arn)

    def keeps(self, value: Any) -> Iterator[Need]:
        """Objects that are written, and read again when the job is taken up."""
        yield from self.writes(value)
        yield from self.reads(f"{self.addresses.text(value).rstrip('/')}/" if value else None)

    def pulls(self, image: Any) -> Iterator[Need]:
        """An image in ECR."""
        repository = self.addresses.repository(image)
        if repository:
            yield self.need("SignInToImages", "ecr:GetAuthorizationToken", "*")
            yield self.need("PullImages", _PULL, repository)

    def tells(self, kind: str, each: str = "") -> Iterator[Need]:
        """Log lines and metrics; of some kinds each has a log group of its own."""
        name = f"/aws/sagemaker/{kind}"
        arn = self.addresses.arn("logs", f"log-group:{name}{each}")
        yield self.need("WriteLogs", _LOGS, arn, f"{arn}:*")
        namespace = (("StringEquals", "cloudwatch:namespace", (name,)),)
        yield self.need("WriteMetrics", "cloudwatch:PutMetricData", "*", conditions=namespace)

    def encrypts(self, key: Any) -> Iterator[Need]:
        """Objects under a key; one that is no ARN is in the definition's own account."""
        if key:
            arn = self.addresses.key(key)
            via = (("StringEquals", "kms:ViaService", (f"s3.{self.addresses.region}.amazonaws.com",)),)
            yield self.need("UseOutputKeys", "kms:Decrypt GenerateDataKey", arn, conditions=via)

    def mounts(self, key: Any) -> Iterator[Need]:
        """A volume under a key."""
        if key:
            arn = self.addresses.key(key)
            yield self.need("SeeVolumeKeys", "kms:DescribeKey", arn)
            granted = (("Bool", "kms:GrantIsForAWSResource", ("true",)),)
            yield self.need("LendVolumeKeys", "kms:CreateGrant", arn, conditions=granted)

    def attaches(self, network: Any) -> Iterator[Need]:
        """Network interfaces in subnets, behind security groups."""
        if not isinstance(network, Mapping) or not network:
            return
        interface = self.addresses.arn("ec2", "network-interface/*")
        yield self.need("AttachToNetwork", "ec2:CreateNetworkInterface", interface)
        for member, noun in (("Subnets", "subnet"), ("SecurityGroupIds", "security-group")):
            listed = network.get(member)
            for one in listed if isinstance(listed, list) else [listed]:
                arn = self.addresses.arn("ec2", f"{noun}/{self.addresses.text(one)}")
                yield self.need("AttachToNetwork", "ec2:CreateNetworkInterface", arn)
        yield self.need("ManageAttachments", _ATTACH, interface)
        yield self.need("SeeNetwork", _SEE, "*")


def of_job(worker: Worker, job: Job) -> Iterator[Need]:
    """What the role of a job needs."""
    yield from worker.pulls(job.get(*job.image))
    for _, value in job.reads():
        yield from worker.reads(value)
    for _, one in entries(job.get("ProcessingOutputConfig", "Outputs")):
        yield from worker.writes(at(one, "S3Output", "S3Uri"))
    yield from worker.writes(job.get("OutputDataConfig", "S3OutputPath"))
    for member, key in (("CheckpointConfig", "S3Uri"), ("DebugHookConfig", "S3OutputPath")):
        yield from worker.keeps(job.get(member, key))
    yield from worker.writes(job.get("ProfilerConfig", "S3OutputPath"))
    for value in _named(job):
        yield from worker.reads(value)
    for _, one in entries(job.get("DebugRuleConfigurations")):
        yield from worker.pulls(one.get("RuleEvaluatorImage"))
    for group in _GROUPS[job.step.type]:
        yield from worker.tells(group)
    yield from worker.encrypts(job.get("OutputDataConfig", "KmsKeyId"))
    yield from worker.encrypts(job.get("ProcessingOutputConfig", "KmsKeyId"))
    yield from worker.mounts(job.get(*job.cluster, "VolumeKmsKeyId"))
    yield from worker.attaches(job.get("VpcConfig"))
    yield from worker.attaches(job.get("NetworkConfig", "VpcConfig"))


def _named(job: Job) -> Iterator[Any]:
    """What a script is given by name, where it is an address by the look of it: data, weights, the script itself."""
    given = job.get(job.hyperparameters) if job.trains else job.get("Environment")
    for value in given.values() if isinstance(given, Mapping) else ():
        text = value.strip('"') if isinstance(value, str) else value
        if is_expression(value) or str(text).startswith("s3://"):
            yield text
    arguments = job.get("AppSpecification", "ContainerArguments")
    for value in arguments if isinstance(arguments, list) else ():
        if is_expression(value) or str(value).startswith("s3://"):
            yield value


def of_model(worker: Worker, step: Step, *, scores: bool) -> Iterator[Need]:
    """What the role of a model needs, once it is served, or scores in a job."""
    containers = [
        at(step.arguments, "PrimaryContainer"),
        *(one for _, one in entries(step.arguments.get("Containers"))),
    ]
    for container in containers:
        yield from worker.pulls(at(container, "Image"))
        yield from worker.reads(at(container, "ModelDataUrl"))
        yield from worker.reads(at(container, "Environment", "SAGEMAKER_SUBMIT_DIRECTORY"))
    yield from worker.tells("Endpoints", "/*")
    yield from worker.tells("TransformJobs") if scores else ()
    yield from worker.attaches(step.arguments.get("VpcConfig"))


def of_function(worker: Worker, name: str) -> Iterator[Need]:
    """What the role of a function needs in any case: its own log."""
    arn = worker.addresses.arn("logs", f"log-group:/aws/lambda/{name}:*")
    yield worker.need("WriteOwnLog", "logs:CreateLogStream PutLogEvents", arn)
