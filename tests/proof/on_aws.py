"""Rights that nothing on this machine can need, each with the reason why it stays.

What is here is not proven but reviewed. An entry that a journey proves after all, or that no policy has, fails a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.proof.permissions import Permission


@dataclass(frozen=True)
class Reason:
    """Why rights stay: those of roles and files whose actions look like one of these; of one statement, if given."""

    roles: tuple[str, ...]
    files: tuple[str, ...]
    actions: tuple[str, ...]
    why: str
    statement: str = ""

    def covers(self, permission: Permission) -> bool:
        """Whether it is the reason for a right."""
        return (
            permission.role in self.roles
            and permission.file in self.files
            and self.statement in ("", permission.statement)
            and any(fnmatchcase(permission.action, pattern) for pattern in self.actions)
        )


_FUNCTIONS = ("deploy", "await", "autoscale", "predict")
_EVERY_KEY = ("output-key", "output-alias", "volume-key")
REASONS: tuple[Reason, ...] = (
    Reason(
        ("job", "model"),
        ("policy", "debugger"),
        ("ecr:*",),
        "SageMaker pulls the image with the role; here an image is an environment of this machine",
    ),
    Reason(
        ("pipeline",),
        ("policy",),
        ("ecr:BatchGetImage",),
        "the registry looks the serving image up with the role; here there is no registry of images",
    ),
    Reason(
        ("job", "model"),
        ("policy",),
        ("logs:*", "cloudwatch:PutMetricData"),
        "SageMaker's agent beside the container writes logs and metrics with the role; without it the job runs unseen",
    ),
    Reason(
        _FUNCTIONS,
        ("policy",),
        ("logs:*",),
        "Lambda writes a function's log with its role; without it the function runs unseen",
    ),
    Reason(
        ("job", "model"),
        ("vpc",),
        ("ec2:*",),
        "SageMaker attaches the machines to the subnets with the role; here there are no subnets to attach to",
    ),
    Reason(
        ("job", "model", "deploy", "pipeline", "predict", "ec2", "operator"),
        _EVERY_KEY,
        ("kms:*",),
        "S3 and the volumes ask KMS in the caller's name; here nothing is encrypted",
    ),
    Reason(
        ("job", "model", "ec2"),
        ("policy", "spot", "capture", "debugger"),
        ("s3:AbortMultipartUpload",),
        "large files are uploaded in parts by SageMaker and by the AWS CLI, which clear away what was interrupted",
    ),
    Reason(
        ("job",),
        ("debugger",),
        ("s3:GetObject", "s3:PutObject", "s3:ListBucket"),
        "SageMaker carries tensors to S3 while the job runs, and its rules read them; here they stay with the job",
    ),
    Reason(
        ("model",),
        ("capture",),
        ("s3:PutObject",),
        "the instances of an endpoint keep requests and answers with the role",
    ),
    Reason(
        ("pipeline",),
        ("policy",),
        ("sagemaker:DescribeModelPackageGroup",),
        "SageMaker looks for the group before it registers a version",
    ),
    Reason(
        ("pipeline",),
        ("policy",),
        ("sagemaker:DescribeTrainingJob",),
        "SageMaker follows the trials of a search that is a step; here it knows them from the search alone",
        "ReadTrials",
    ),
    Reason(
        ("await",),
        ("policy",),
        ("sqs:GetQueueAttributes",),
        "Lambda refuses a mapping to a queue that the function's role may not look at",
    ),
    Reason(
        ("autoscale",),
        ("policy",),
        ("cloudwatch:*",),
        "Application Auto Scaling keeps the alarms of a policy with the rights of the caller that writes it",
    ),
    Reason(
        ("autoscale",),
        ("policy",),
        ("iam:CreateServiceLinkedRole",),
        "Application Auto Scaling makes its role with the rights of the caller that registers the first target",
    ),
    Reason(
        ("operator",),
        ("functions",),
        ("lambda:ListTags",),
        "GetFunction shows the tags of a function to those alone who may list them; here it shows them to everybody",
        "KeepFunctions",
    ),
    Reason(
        ("operator",),
        ("policy", "upsert"),
        ("pricing:GetProducts",),
        "prices are AWS's own; this machine has no price list",
    ),
    Reason(
        ("operator",),
        ("instances",),
        ("s3:ListBucket",),
        "S3 says that an object is not there to those alone who may list the bucket; here it says so to everybody",
    ),
)


def reason(permission: Permission) -> str:
    """Why a permission stays that nothing needs on this machine; empty without a reason."""
    return next((reason.why for reason in REASONS if reason.covers(permission)), "")
