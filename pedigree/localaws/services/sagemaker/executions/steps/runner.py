"""The interface between the executor and the runners of steps."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, Literal, Protocol

from pedigree.language.definition import Step
from pedigree.language.text import brief
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions.core.active import ActiveExecution
from pedigree.localaws.services.sagemaker.executions.core.errors import ValueMissingError
from pedigree.localaws.services.sagemaker.executions.core.values import Resolver

_TOKEN_LENGTH = 10
LONGEST_NAME = 63
LONGEST_STEP_NAME = 20
"""How much of a step's name the names of jobs and sessions have."""
# The beginning of a job's failure reason, where it is not the job's own fault, and its name in retry policies.
JOB_FAULTS: Mapping[str, str] = {
    "InternalServerError": "SageMaker.JOB_INTERNAL_ERROR",
    "CapacityError": "SageMaker.CAPACITY_ERROR",
    "ResourceLimitExceeded": "SageMaker.RESOURCE_LIMIT",
}
_TARGETS: Mapping[str, str] = {"Callback": "SqsQueueUrl", "Lambda": "FunctionArn"}
STEP_FAULT = "Step.SERVICE_FAULT"
_THROTTLING = "Step.THROTTLING"
_THROTTLED = ("Throttling", "TooManyRequests", "LimitExceeded")


@dataclass(frozen=True)
class Attempt:
    """One attempt at one step of one execution."""

    world: World
    active: ActiveExecution
    step: Step
    arguments: Mapping[str, Any]
    number: int

    @property
    def execution(self) -> Document:
        """The execution as it is stored."""
        return self.active.document

    @property
    def record(self) -> Document:
        """The step as it is stored."""
        return self.active.records[self.step.name]

    @cached_property
    def resolver(self) -> Resolver:
        """Resolves the step's expressions."""
        return self.active.resolver(self.step.name)

    @cached_property
    def target(self) -> str:
        """The queue or the function of the step, which an expression may name; empty for a step of another type."""
        member = _TARGETS.get(self.step.type)
        if member is None:
            return ""
        value = self.resolver.resolve(self.step.document.get(member))
        if not isinstance(value, str) or not value:
            raise ValueMissingError(f"{member} of {self.step.name} is {brief(value)}", "write a text")
        return value

    def number_of(self, member: str, default: float) -> float:
        """A number that stands beside the step's arguments."""
        value = self.resolver.resolve(self.step.document.get(member, default))
        try:
            return float(value)
        except (TypeError, ValueError):
            raise ValueMissingError(f"{member} of {self.step.name} is {brief(value)}", "write a number") from None

    @property
    def execution_id(self) -> str:
        return self.active.id

    @property
    def token(self) -> str:
        """What distinguishes this attempt from all others at the step."""
        text = f"{self.step.name}/{self.execution.get('_round', 0)}/{self.number}"
        return hashlib.sha256(text.encode()).hexdigest()[:_TOKEN_LENGTH]

    @property
    def name(self) -> str:
        """The name of what this attempt creates, in the service's form: the same after every restart."""
        return f"pipelines-{self.short_name(LONGEST_NAME - len('pipelines-'))}"

    def short_name(self, longest: int, prefix: str = "") -> str:
        """The name in at most so many characters; the step's name, or a prefix in its place, is cut."""
        room = longest - len(self.execution_id) - len(self.token) - 2
        if prefix:
            return f"{prefix[:room].strip('-')}-{self.execution_id}-{self.token}"
        step = self.step.name.replace("_", "-")[: min(room, LONGEST_STEP_NAME)]
        return f"{self.execution_id}-{step}-{self.token}"


@dataclass(frozen=True)
class StepResult:
    """How an attempt ended: the description of what it created, or the reason of a failure and its fault."""

    status: Literal["Succeeded", "Failed", "Stopped"]
    described: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    fault: str = ""
    branch: bool | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def fault_of(error: ServiceError) -> str:
    """The name that retry policies have for a refusal; empty if it would be refused again."""
    if any(words in error.code for words in _THROTTLED) and error.code not in JOB_FAULTS:
        return _THROTTLING
    is_internal = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return JOB_FAULTS.get(error.code) or (STEP_FAULT if is_internal else "")


class StepRunner(Protocol):
    """Runs the steps of a type. Every method can be called twice, and again after a restart."""

    def start(self, attempt: Attempt) -> Mapping[str, Any]:
        """Start it and return the step's Metadata; ServiceError says why it cannot start."""
        ...

    def poll(self, attempt: Attempt) -> StepResult | None:
        """The result, once it has ended."""
        ...

    def stop(self, attempt: Attempt) -> None:
        """Ask it to end."""
        ...
