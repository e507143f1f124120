"""The names of the SDK's DAG layer, each imported on first use.

Importing the SDK takes seconds and creates a boto3 client, which looks for a region and credentials, on the network
too. Commands like status must not wait for that, and building a definition must not depend on an account. So the names
are resolved here, lazily, and in an environment without an account.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeAlias

Expression: TypeAlias = Any
"""What the SDK puts into a request in place of a value that is known at run time only."""

Step: TypeAlias = Any
"""A node of the SDK's graph."""

_SDK_MODULES = {
    "CacheConfig": "sagemaker.mlops.workflow.steps",
    "CallbackOutput": "sagemaker.mlops.workflow.callback_step",
    "CallbackOutputTypeEnum": "sagemaker.mlops.workflow.callback_step",
    "CallbackStep": "sagemaker.mlops.workflow.callback_step",
    "ConditionGreaterThanOrEqualTo": "sagemaker.core.workflow.conditions",
    "ConditionStep": "sagemaker.mlops.workflow.condition_step",
    "ConfigurableRetryStep": "sagemaker.mlops.workflow.steps",
    "ExecutionVariables": "sagemaker.core.workflow.execution_variables",
    "FailStep": "sagemaker.mlops.workflow.fail_step",
    "Join": "sagemaker.core.workflow.functions",
    "JsonGet": "sagemaker.core.workflow.functions",
    "Lambda": "sagemaker.core.lambda_helper",
    "LambdaOutput": "sagemaker.mlops.workflow.lambda_step",
    "LambdaOutputTypeEnum": "sagemaker.mlops.workflow.lambda_step",
    "LambdaStep": "sagemaker.mlops.workflow.lambda_step",
    "Pipeline": "sagemaker.mlops.workflow.pipeline",
    "Properties": "sagemaker.core.workflow.properties",
    "PropertyFile": "sagemaker.core.workflow.properties",
    "RequestStep": "steps.request_step",  # ours, and extends the SDK
    "SageMakerJobExceptionTypeEnum": "sagemaker.mlops.workflow.retry",
    "SageMakerJobStepRetryPolicy": "sagemaker.mlops.workflow.retry",
    "StepExceptionTypeEnum": "sagemaker.mlops.workflow.retry",
    "StepRetryPolicy": "sagemaker.mlops.workflow.retry",
    "StepTypeEnum": "sagemaker.mlops.workflow.steps",
    "StrictFloat": "steps.sdk_parameters",  # ours, too
    "StrictInteger": "steps.sdk_parameters",
    "StrictString": "steps.sdk_parameters",
}
_NO_AWS = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


class _NoClient:
    """A client that raises on every call."""

    def __getattr__(self, operation: str) -> Any:
        raise RuntimeError(f"building a definition called {operation} of AWS, and must not call AWS")


class _NoSession:
    """The part of a session that the SDK uses while it builds."""

    local_mode = False
    boto_region_name = _NO_AWS["AWS_DEFAULT_REGION"]

    @property
    def boto_session(self) -> _NoSession:
        """The boto3 session: this object, too."""
        return self

    def client(self, _service: str) -> _NoClient:
        return _NoClient()


NO_SESSION = _NoSession()


def as_text(value: Expression) -> Expression:
    """A parameter as text, which is what hyperparameters are."""
    return value.to_string()


def sdk_modules() -> Mapping[str, str]:
    """Every name, and the module that it comes from."""
    return dict(_SDK_MODULES)


def __getattr__(name: str) -> Any:
    """The SDK's class of that name, imported on first use."""
    if name not in _SDK_MODULES:
        raise AttributeError(f"{name} is no name of the DAG layer; add it to the table in {__name__}")
    with _without_side_effects():
        value = getattr(import_module(_SDK_MODULES[name]), name)
    globals()[name] = value
    return value


@contextmanager
def _without_side_effects() -> Iterator[None]:
    """Imports the SDK in an environment without an account, and restores the environment, boto3 and logging.

    The import would leave a default boto3 session without credentials, and a root logger that prints everything.
    """
    import boto3  # only where the SDK is imported, too

    ours = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    session, root = boto3.DEFAULT_SESSION, logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    _replace_aws_variables(_NO_AWS)
    try:
        yield
    finally:
        _replace_aws_variables(ours)
        boto3.DEFAULT_SESSION = session
        root.setLevel(level)
        root.handlers[:] = handlers


def _replace_aws_variables(values: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(values)
