"""The values of the placeholders in iam/: names and ARNs from the settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pedigree.aws import images, regions
from pipeline.settings.tree import Settings
from steps.build import Family, image_for
from steps.functions import FUNCTIONS, function_name, queue_name
from steps.site import SiteConfig

Value = str | tuple[str, ...]

# A model and a configuration are named after their endpoint, whose name is shortened to this where it is long.
_LONGEST_STEM = 29
_IMAGE = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z0-9.-]+/(?P<repository>[^:@]+)")


def values(settings: Settings) -> Mapping[str, Value]:
    """The value of each placeholder; empty if the settings have none."""
    site, pipeline = settings.site, settings.pipeline.name
    bucket, _, prefix = site.uri().removeprefix("s3://").partition("/")
    data_bucket, data_key = _address(settings.data.source)
    weights_bucket, weights_key = _address(settings.training.weights)
    key = site.encryption.output_key
    return {
        "AccountId": site.account_id,
        "Bucket": bucket,
        "DataBucket": data_bucket,
        "DataKey": data_key,
        "DebuggerRepository": _repository(site, images.debugger_rules(site.region))
        if settings.debugger.enabled
        else "",
        "DnsSuffix": regions.dns_suffix(site.region),
        "EndpointName": settings.endpoint.name,
        "EndpointStem": _stem(settings.endpoint.name),
        "InferenceRepository": _repository(site, _image(settings, "inference")),
        "ModelPackageGroup": settings.registry.group,
        "OutputKey": key if is_key(key) else "",
        "Partition": regions.partition(site.region),
        "PipelineName": pipeline,
        "Prefix": prefix,
        "Region": site.region,
        "RoleArns": tuple(site.role(name) for name in _roles(site)),
        "SecurityGroupArns": tuple(
            _anywhere(site, f"security-group/{group}") for group in site.network.security_groups
        ),
        "SubnetArns": tuple(_anywhere(site, f"subnet/{subnet}") for subnet in site.network.subnets),
        "Subnets": site.network.subnets,
        "TrainingRepositories": tuple(dict.fromkeys(_training_repositories(settings))),
        "VolumeKey": site.encryption.volume_key,
        "WeightsBucket": weights_bucket,
        "WeightsKey": weights_key,
        "AwaitQueue": queue_name(pipeline),
        "ScheduleQueue": f"{pipeline}-schedule-dead",
        **{f"{name.capitalize()}Function": function_name(pipeline, name) for name in FUNCTIONS},
        **{f"{name.capitalize()}Role": role for name, role in _roles(site).items()},
    }


def is_alias(key: str) -> bool:
    """Whether the ARN is a key alias's, which a policy cannot name as a resource."""
    return ":alias/" in key


def is_key(key: str) -> bool:
    """Whether the ARN is a key's own."""
    return ":key/" in key


def _roles(site: SiteConfig) -> Mapping[str, str]:
    return {str(name): str(role) for name, role in site.roles.model_dump(by_alias=True).items()}


def _address(uri: str) -> tuple[str, str]:
    """Bucket and key of an address in S3; empty for other addresses."""
    bucket, _, key = uri.removeprefix("s3://").partition("/") if uri.startswith("s3://") else ("", "", "")
    return bucket, key


def _stem(endpoint: str) -> str:
    """How the names of an endpoint's models and configurations begin."""
    return f"{endpoint}-" if len(endpoint) <= _LONGEST_STEM else endpoint[:_LONGEST_STEM].rstrip("-")


def _training_repositories(settings: Settings) -> Iterator[str]:
    families: tuple[Family, ...] = ("training", "distributed") if settings.distributed.enabled else ("training",)
    for family in families:
        yield _repository(settings.site, _image(settings, family))


def _image(settings: Settings, family: Family) -> str:
    machines = {
        "training": settings.training.instance_type,
        "distributed": settings.distributed.instance_type,
        "inference": settings.registry.inference_instance_types[0],
    }
    return image_for(settings.images, family, machines[family], settings.site.region)


def _repository(site: SiteConfig, image: str) -> str:
    match = _IMAGE.match(image)
    assert match, f"{image} is no address of ECR"
    partition = regions.partition(site.region)
    return f"arn:{partition}:ecr:{match['region']}:{match['account']}:repository/{match['repository']}"


def _anywhere(site: SiteConfig, resource: str) -> str:
    """The ARN of a part of a network, which another account may own and share."""
    return f"arn:{regions.partition(site.region)}:ec2:{site.region}:*:{resource}"
