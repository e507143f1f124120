"""What an execution can change: in Studio, on the schedule, or with start.

Each parameter has its default from settings and reaches at least one step. A list of choices is given where the set
is closed: there Studio shows a menu, and the service refuses anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from pipeline.settings import Settings
from steps import dag
from steps.instances import SMDDP_TYPES
from steps.register_model import Approval


@dataclass(frozen=True)
class Parameter:
    """A value that has a default and can be given anew at every start."""

    name: str
    default: str | int | float
    choices: tuple[str, ...] = ()

    def expression(self) -> dag.Expression:
        """The SDK's parameter, which requests refer to."""
        if isinstance(self.default, str):
            return dag.ParameterString(self.name, self.default, list(self.choices) or None)
        kind = dag.ParameterInteger if isinstance(self.default, int) else dag.ParameterFloat
        return kind(self.name, self.default)


def declare(settings: Settings) -> tuple[Parameter, ...]:
    """The parameters of the pipeline that these settings make: none that its steps would not use."""
    return (*_data_and_training(settings), *_distributed(settings), *_deployment(settings))


def expressions(settings: Settings) -> Mapping[str, dag.Expression]:
    """The parameters as the SDK knows them, by name."""
    return {parameter.name: parameter.expression() for parameter in declare(settings)}


def _data_and_training(settings: Settings) -> Iterator[Parameter]:
    yield Parameter("InputDataUrl", settings.data.source_url(settings.site.network.isolation))
    yield Parameter("ProcessingInstanceType", settings.processing.instance_type)
    yield Parameter("TrainingInstanceType", settings.training.instance_type)
    yield Parameter("Epochs", settings.training.epochs)
    if settings.tuning.strategy != "Grid":
        yield Parameter("TuningMaxJobs", settings.tuning.max_jobs)
    yield Parameter("TuningMaxParallelJobs", settings.tuning.parallel_jobs)


def _distributed(settings: Settings) -> Iterator[Parameter]:
    if settings.distributed.enabled:
        choices = SMDDP_TYPES if settings.distributed.launcher == "smddp" else ()
        yield Parameter("DistributedInstanceType", settings.distributed.instance_type, choices)
        yield Parameter("DistributedInstanceCount", settings.distributed.instance_count)


def _deployment(settings: Settings) -> Iterator[Parameter]:
    yield Parameter("AccuracyThreshold", settings.quality.accuracy)
    yield Parameter("ModelApprovalStatus", settings.registry.approval, get_args(Approval))
    yield Parameter("EndpointName", settings.endpoint.name)
    yield Parameter("EndpointInstanceType", settings.endpoint.instance_type, settings.registry.inference_instance_types)
    yield Parameter("EndpointInstanceCount", settings.endpoint.instance_count)
    yield Parameter("AutoscalingMinCapacity", settings.autoscaling.min_capacity)
    yield Parameter("AutoscalingMaxCapacity", settings.autoscaling.max_capacity)
    yield Parameter("AutoscalingTargetInvocations", float(settings.autoscaling.target_invocations_per_minute))
