"""What the executor asks of whoever carries out a step, and in which words it is answered."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pedigree.language.definition import Step
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions.ledger import Ledger
from pedigree.localaws.services.sagemaker.executions.state import id_of
from pedigree.localaws.services.sagemaker.executions.values import Known

_TOKEN = 10
_LONGEST_NAME = 63
# What a job's reason to fail begins with, where it is not the job's own fault, and what retry policies call it.
JOB_FAULTS: Mapping[str, str] = {
    "InternalServerError": "SageMaker.JOB_INTERNAL_ERROR",
    "CapacityError": "SageMaker.CAPACITY_ERROR",
    "ResourceLimitExceeded": "SageMaker.RESOURCE_LIMIT",
}
RUNNABLE = (
    *("Condition", "Fail", "Callback", "Lambda", "Processing", "Training", "Tuning", "Transform"),
    *("Model", "RegisterModel", "EndpointConfig", "Endpoint"),
)
STEP_FAULT = "Step.SERVICE_FAULT"
THROTTLING = "Step.THROTTLING"


@dataclass(frozen=True)
class Run:
    """One attempt at one step of one execution."""

    world: World
    execution: Document
    ledger: Ledger
    step: Step
    known: Known
    arguments: Mapping[str, Any]
    attempt: int

    @property
    def execution_id(self) -> str:
        """The execution's id."""
        return id_of(self.execution["PipelineExecutionArn"])

    @property
    def token(self) -> str:
        """What tells this attempt from all others at the step."""
        text = f"{self.step.name}/{self.execution.get('_round', 0)}/{self.attempt}"
        return hashlib.sha256(text.encode()).hexdigest()[:_TOKEN]

    @property
    def name(self) -> str:
        """A name for what this attempt makes, as the service gives it: the same whenever it is asked for."""
        return f"pipelines-{self.named(_LONGEST_NAME - len('pipelines-'))}"

    def named(self, longest: int) -> str:
        """The same in so many characters at most, of which the step's name gets what is left."""
        room = longest - len(self.execution_id) - len(self.token) - 2
        step = self.step.name.replace("_", "-")[:room].strip("-")
        return f"{self.execution_id}-{step}-{self.token}"


@dataclass(frozen=True)
class Ended:
    """How an attempt ended: what is described about it, or why it failed and of which fault."""

    status: Literal["Succeeded", "Failed", "Stopped"]
    described: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    fault: str = ""
    outcome: bool | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


class Runner(Protocol):
    """Carries out steps of a type. Everything can be asked twice, and again after a restart."""

    def start(self, run: Run) -> Mapping[str, Any]:
        """Begin; the step's Metadata. ServiceError says why it cannot be."""
        ...

    def look(self, run: Run) -> Ended | None:
        """How it ended, if it has."""
        ...

    def stop(self, run: Run) -> None:
        """Ask it to end."""
        ...
