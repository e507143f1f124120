"""botocore's models: which operations a service has, and of which shapes their requests and answers are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationNotFoundError, ServiceModel

MODELS: Mapping[str, str] = {
    "application-autoscaling": "application-autoscaling",
    "ec2": "ec2",
    "events": "events",
    "iam": "iam",
    "lambda": "lambda",
    "logs": "logs",
    "monitoring": "cloudwatch",
    "sagemaker": "sagemaker",
    "sagemaker-runtime": "sagemaker-runtime",
    "scheduler": "scheduler",
    "sqs": "sqs",
    "ssm": "ssm",
    "sts": "sts",
    "tagging": "resourcegroupstaggingapi",
}
"""botocore's name of each service whose requests name an operation, by its name in credential scopes."""
REST = ("lambda", "scheduler", "sagemaker-runtime")
"""The services whose requests name an operation by method and path."""


@cache
def model(name: str) -> ServiceModel:
    """A service's model, by botocore's name."""
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


@cache
def operations(service: str) -> frozenset[str]:
    """The operations of a service, by its name in credential scopes."""
    return frozenset(model(MODELS[service]).operation_names)


@lru_cache(maxsize=2048)
def input_shape(name: str, operation: str) -> Any:
    """The shape of an operation's request; None where there is none."""
    try:
        return model(name).operation_model(operation).input_shape
    except OperationNotFoundError:
        return None
