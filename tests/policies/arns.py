"""ARNs of the default settings in one account, and requests that several tables share."""

from __future__ import annotations

from typing import Any

from pedigree.iam import Principal, Request, service

ACCOUNT, STRANGER = "123456789012", "000000000000"
REGION = "us-east-1"
IN_ACCOUNT = {"site.account": ACCOUNT}
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ANOTHER_KEY = f"{KEY[:-1]}c"
SUBNET, GROUP = "subnet-0123456789abcdef0", "sg-0123456789abcdef0"
EVERYTHING = {
    **IN_ACCOUNT,
    "data.source": "s3://images/dogs/",
    "endpoint.capture_percent": 10,
    "site.encryption.output_key": KEY,
    "site.encryption.volume_key": KEY,
    "site.network.isolation": True,
    "site.network.security_groups": [GROUP],
    "site.network.subnets": [SUBNET],
    "training.spot": True,
    "training.weights": "s3://weights/resnet.pth",
}
# The network of EVERYTHING, as conditions of a request see it.
IN_THE_NETWORK: dict[str, Any] = {"sagemaker:VpcSubnets": [SUBNET], "sagemaker:NetworkIsolation": True}

BUCKET = f"arn:aws:s3:::pedigree-{ACCOUNT}-{REGION}"
OURS = f"{BUCKET}/pedigree"
EXECUTION = f"{OURS}/executions/abcdefghijkl"
SAGEMAKER = "sagemaker.amazonaws.com"
EVERY_SERVICE = ("sagemaker", "lambda", "ec2", "scheduler", "events", "glue")


def arn(service_name: str, resource: str, *, account: str = ACCOUNT, region: str = REGION) -> str:
    """An ARN in our account and region, unless it says otherwise."""
    return f"arn:aws:{service_name}:{region}:{account}:{resource}"


def sagemaker(resource: str, *, account: str = ACCOUNT, region: str = REGION) -> str:
    """A resource of SageMaker."""
    return arn("sagemaker", resource, account=account, region=region)


def role(name: str, *, account: str = ACCOUNT) -> str:
    """A role."""
    return f"arn:aws:iam::{account}:role/{name}"


def function(name: str) -> str:
    """A function of the pipeline."""
    return arn("lambda", f"function:sagemaker-dog-breeds-{name}")


def live(name: str) -> str:
    """The live alias of a function."""
    return f"{function(name)}:live"


def log_stream(group: str) -> str:
    """A stream of a log group."""
    return arn("logs", f"log-group:{group}:log-stream:2027/01/31/a")


def passing(name: str, to: str) -> Request:
    """Pass a role to a service."""
    return Request("iam:PassRole", role(name), {"iam:PassedToService": to})


def listing(prefix: str, bucket: str = BUCKET) -> Request:
    """List the keys under a prefix."""
    return Request("s3:ListBucket", bucket, {"s3:prefix": prefix})


def assuming(name: str, by: str, source: str, *, account: str = ACCOUNT, **more: Any) -> Request:
    """A service assumes a role on behalf of a resource of an account."""
    who: Principal = service(by)
    return Request("sts:AssumeRole", role(name), {"aws:SourceAccount": account, "aws:SourceArn": source, **more}, who)


def not_trusted(name: str, by: str, source: str) -> tuple[Request, ...]:
    """Requests that a role for one service and source must refuse: other services, accounts and actions."""
    ours = assuming(name, by, source)
    elsewhere = source.replace(ACCOUNT, STRANGER)
    return (
        *(
            assuming(name, f"{service}.amazonaws.com", source)
            for service in EVERY_SERVICE
            if not by.startswith(service)
        ),
        assuming(name, by, source, account=STRANGER),
        assuming(name, by, elsewhere),
        assuming(name, by, elsewhere, account=STRANGER),
        Request("sts:TagSession", ours.resource, ours.context, ours.principal),
        Request("sts:AssumeRole", ours.resource, ours.context),
    )
