"""What the operations of each service need, by the service's name in a credential's scope.

Actions and resources are those of AWS's service authorization reference; where it allows a wildcard only, so do they.
"""

from __future__ import annotations

from collections.abc import Mapping

from pedigree.localaws.iam.actions import (
    application_autoscaling,
    cloudwatch,
    ec2,
    events,
    functions,
    iam,
    invocations,
    logs,
    sagemaker,
    scheduler,
    sqs,
    ssm,
    sts,
    tagging,
)
from pedigree.localaws.iam.actions.needs import ActionTable

TABLES: Mapping[str, ActionTable] = {
    "application-autoscaling": application_autoscaling.TABLE,
    "monitoring": cloudwatch.TABLE,
    "ec2": ec2.TABLE,
    "events": events.TABLE,
    "lambda": functions.TABLE,
    "iam": iam.TABLE,
    "logs": logs.TABLE,
    "sagemaker": sagemaker.TABLE,
    "sagemaker-runtime": invocations.TABLE,
    "scheduler": scheduler.TABLE,
    "sqs": sqs.TABLE,
    "ssm": ssm.TABLE,
    "sts": sts.TABLE,
    "tagging": tagging.TABLE,
}
