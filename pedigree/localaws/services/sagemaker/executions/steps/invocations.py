"""The calls by which steps create something, and the words in which the service says that one was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.language import retries
from pedigree.localaws.http.protocol.errors import AccessDeniedError, ServiceError
from pedigree.localaws.services.sagemaker.executions.steps.runner import Attempt, fault_of
from pedigree.localaws.services.sagemaker.executions.steps.services import StepServices

_EXISTS = ("ResourceInUse", "already existing", "must be unique", "already exists")


def invoke(services: StepServices, attempt: Attempt, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Call an operation that creates something; ServiceError in the words of a step's FailureReason."""
    try:
        return services.call(attempt, operation, request)
    except ServiceError as error:
        if exists(error):
            raise
        raise ServiceError(error.code, _words(attempt, operation, error), error.status) from error


def exists(error: ServiceError) -> bool:
    """Whether a call was refused because what it creates is there already."""
    return any(words in f"{error.code} {error.message}" for words in _EXISTS)


def _words(attempt: Attempt, operation: str, error: ServiceError) -> str:
    details = error.message if isinstance(error, AccessDeniedError) else f"Error Details: {error.message}"
    refused = f"Failed to invoke sagemaker:{operation}. {details}"
    fault = fault_of(error)
    if not fault or retries.policy_for(attempt.step, fault):
        return refused
    execution = attempt.execution["PipelineExecutionArn"].lower()
    step = f"execution of step with PipelineExecutionArn {execution} and StepId {attempt.step.name}"
    kind = fault.replace(".", "_").upper()
    return f"{refused}\nRetry not appropriate on {step}. No retry policy configured for the exception type {kind}."
