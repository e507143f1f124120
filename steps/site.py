"""Where the pipeline runs: account, region, bucket, names of roles, network and encryption.

Every request takes its ARNs, addresses and network from here, so that a setting reaches all of them in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from pedigree.aws import machines, regions
from pedigree.errors import InvalidValueError
from steps import dag
from steps.config import BUCKET, Config, FrozenMapping, like

NO_ACCOUNT = "000000000000"
OWNER = "pedigree:pipeline"  # the key of the tag that names the pipeline that a resource belongs to
_KEY = r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+"
_ALIAS = r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:alias/[A-Za-z0-9/_-]+"
_KEY_LIKE = "arn:aws:kms:us-east-1:123456789012:key/…"
_TAG = r"[\w\s_.:/=+@-]"


def _tags(tags: Mapping[str, str]) -> Mapping[str, str]:
    for key, value in tags.items():
        if not re.fullmatch(rf"(?!(?i:aws:)){_TAG}{{1,128}}", key) or not re.fullmatch(rf"{_TAG}{{0,256}}", value):
            raise InvalidValueError(
                f'has "{key}" = "{value}"',
                "write letters, digits, spaces and _.:/=+@-, "
                "128 at most in a key and 256 in a value, and begin no key with aws:",
            )
    lowered = [key.lower() for key in tags]
    same = [key for key in tags if lowered.count(key.lower()) > 1]
    if same:
        raise InvalidValueError(f"has {' and '.join(same)}, which IAM takes for the same key", "keep one of them")
    return tags


RoleName = Annotated[str, like("pedigree-job", r"[\w+=,.@-]{1,64}")]


class RolesConfig(Config):
    """The names of the roles, one for each party, so that each has as few permissions as possible."""

    pipeline: RoleName = "pedigree-pipeline"
    job: RoleName = "pedigree-job"
    model: RoleName = "pedigree-model"
    deploy: RoleName = "pedigree-deploy"
    await_: Annotated[RoleName, Field(alias="await")] = "pedigree-await"
    autoscale: RoleName = "pedigree-autoscale"
    predict: RoleName = "pedigree-predict"
    scheduler: RoleName = "pedigree-scheduler"
    ec2: RoleName = "pedigree-ec2"

    @model_validator(mode="after")
    def _each_its_own(self) -> RolesConfig:
        names = list(self.model_dump().values())
        shared = next((name for name in names if names.count(name) > 1), "")
        if shared:
            raise InvalidValueError(
                f"names {shared} for several parties, and each needs a role of its own", "name another"
            )
        return self


class NetworkConfig(Config):
    """The VPC of jobs and models, and what they can reach."""

    subnets: tuple[Annotated[str, like("subnet-0123456789abcdef0", r"subnet-[0-9a-f]{8,17}")], ...] = Field(
        default=(), max_length=16
    )
    """With security_groups: jobs and models run in this VPC."""
    security_groups: tuple[Annotated[str, like("sg-0123456789abcdef0", r"sg-[0-9a-f]{8,17}")], ...] = Field(
        default=(), max_length=5
    )
    isolation: bool = False
    """No network inside the containers; data and weights must then be in S3."""
    encrypt_traffic: bool = False
    """Between the machines of one job."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> NetworkConfig:
        if bool(self.subnets) != bool(self.security_groups):
            raise InvalidValueError(
                "has subnets or security_groups without the other", "give both, or neither for no VPC"
            )
        return self

    def vpc(self) -> dict[str, Any]:
        """The VpcConfig member of a request; nothing without a VPC."""
        if not self.subnets:
            return {}
        return {"VpcConfig": {"SecurityGroupIds": list(self.security_groups), "Subnets": list(self.subnets)}}


class EncryptionConfig(Config):
    """KMS keys for S3 and for the volumes of the machines; empty: keys of AWS."""

    output_key: Annotated[str, like(_KEY_LIKE, f"{_KEY}|{_ALIAS}", optional=True)] = ""
    """The ARN of a key or an alias."""
    volume_key: Annotated[str, like(_KEY_LIKE, _KEY, optional=True)] = ""
    """The ARN of a key; not used for machines with local disks, which hardware encrypts."""

    def output(self) -> dict[str, str]:
        """The KmsKeyId member of an output; nothing without a key."""
        return {"KmsKeyId": self.output_key} if self.output_key else {}

    def volume(self, instance_type: str) -> dict[str, str]:
        """The VolumeKmsKeyId member; nothing for machines with local disks, which hardware encrypts."""
        if not self.volume_key or machines.has_local_storage(instance_type):
            return {}
        return {"VolumeKmsKeyId": self.volume_key}


class SiteConfig(Config):
    """An account, a region and a bucket of AWS, and the addresses in them."""

    account: Annotated[str, like("123456789012", r"\d{12}", optional=True)] = ""
    """Empty: 000000000000 in a definition that is only read."""
    region: Annotated[str, AfterValidator(regions.existing)] = "us-east-1"
    bucket: Annotated[str, like("my-bucket", BUCKET, optional=True)] = ""
    """Empty: pedigree-<account>-<region>."""
    prefix: Annotated[str, like("teams/vision", r"[\w-][\w.-]*(/[\w-][\w.-]*)*"), Field(max_length=128)] = "pedigree"
    """The folder in the bucket."""
    tags: Annotated[FrozenMapping[str], AfterValidator(_tags)] = Field(default={"project": "pedigree"}, max_length=45)
    """On everything that can have tags."""
    roles: RolesConfig = RolesConfig()
    network: NetworkConfig = NetworkConfig()
    encryption: EncryptionConfig = EncryptionConfig()

    @property
    def account_id(self) -> str:
        """The account; a placeholder if a definition is only read."""
        return self.account or NO_ACCOUNT

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource in this account and region."""
        region = "" if service == "iam" else self.region
        return f"arn:{regions.partition(self.region)}:{service}:{region}:{self.account_id}:{resource}"

    def role(self, name: str) -> str:
        """The ARN of a role, by the name of its folder in iam/."""
        return self.arn("iam", f"role/{getattr(self.roles, 'await_' if name == 'await' else name)}")

    def queue_url(self, name: str) -> str:
        """The address of a queue."""
        return f"https://sqs.{self.region}.{regions.dns_suffix(self.region)}/{self.account_id}/{name}"

    @property
    def bucket_name(self) -> str:
        """The bucket of the settings; else one named after the account and region."""
        return self.bucket or f"pedigree-{self.account_id}-{self.region}"

    @property
    def bucket_arn(self) -> str:
        """The ARN of the bucket."""
        return f"arn:{regions.partition(self.region)}:s3:::{self.bucket_name}"

    def uri(self, *parts: str) -> str:
        """An S3 address under the prefix."""
        return "/".join((f"s3://{self.bucket_name}/{self.prefix}", *parts))

    def output(self, step: str, *parts: dag.Expression) -> dag.Expression:
        """An S3 address of this execution and step, so that executions never overwrite each other."""
        return dag.Join(
            on="/", values=[self.uri("executions"), dag.ExecutionVariables.PIPELINE_EXECUTION_ID, step, *parts]
        )

    def tags_of(self, pipeline: str) -> dict[str, str]:
        """The tags of what outlives an execution: those of the settings, and the owner."""
        return {**self.tags, OWNER: self.arn("sagemaker", f"pipeline/{pipeline}")}

    def tag_list(self) -> list[dict[str, str]]:
        """The tags in the form of requests."""
        return [{"Key": key, "Value": value} for key, value in self.tags.items()]
