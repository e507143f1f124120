"""The types of steps, and how each is run. A type that has no row here is refused by name when an execution starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from pedigree.localaws.services.sagemaker.executions.steps.callbacks import CallbackRunner
from pedigree.localaws.services.sagemaker.executions.steps.cleanup import CleanupRunner
from pedigree.localaws.services.sagemaker.executions.steps.decisions import ConditionRunner, FailRunner
from pedigree.localaws.services.sagemaker.executions.steps.for_each import ForEachRunner
from pedigree.localaws.services.sagemaker.executions.steps.functions import FunctionRunner
from pedigree.localaws.services.sagemaker.executions.steps.lineage import LineageRunner
from pedigree.localaws.services.sagemaker.executions.steps.requests import (
    JobLifecycle,
    RegistrationRunner,
    RequestRunner,
    TuningRunner,
    job,
)
from pedigree.localaws.services.sagemaker.executions.steps.runner import StepRunner
from pedigree.localaws.services.sagemaker.executions.steps.services import StepServices


@dataclass(frozen=True)
class StepType:
    """How steps of a type are run.

    A step that has no effect outside of its execution need not be stored before it starts.
    """

    runner: Callable[[StepServices], StepRunner]
    has_effects: bool = True


STEP_TYPES: Mapping[str, StepType] = {
    "Condition": StepType(lambda _services: ConditionRunner(), has_effects=False),
    "Fail": StepType(lambda _services: FailRunner(), has_effects=False),
    "ForEach": StepType(lambda _services: ForEachRunner(), has_effects=False),
    "Cleanup": StepType(CleanupRunner),
    "Lineage": StepType(LineageRunner),
    "Callback": StepType(CallbackRunner),
    "Lambda": StepType(FunctionRunner),
    "Processing": StepType(partial(RequestRunner, job("Processing"))),
    "Training": StepType(partial(RequestRunner, job("Training"))),
    "Tuning": StepType(partial(TuningRunner, job("HyperParameterTuning", metadata="TuningJob"), longest_name=31)),
    "Transform": StepType(partial(RequestRunner, job("Transform"))),
    "Model": StepType(partial(RequestRunner, JobLifecycle("Model", "DescribeModel", "ModelArn", has_prefix=True))),
    "EndpointConfig": StepType(
        partial(RequestRunner, JobLifecycle("EndpointConfig", "DescribeEndpointConfig", "EndpointConfigArn"))
    ),
    "Endpoint": StepType(
        partial(
            RequestRunner,
            JobLifecycle(
                *("Endpoint", "DescribeEndpoint", "EndpointArn", "EndpointStatus"),
                succeeded="InService",
                failed=("Failed", "OutOfService"),
            ),
        )
    ),
    "RegisterModel": StepType(
        partial(RegistrationRunner, JobLifecycle("RegisterModel", "DescribeModelPackage", "ModelPackageArn"))
    ),
}


def runners(services: StepServices) -> Mapping[str, StepRunner]:
    """The runner of each type."""
    return {name: step_type.runner(services) for name, step_type in STEP_TYPES.items()}
