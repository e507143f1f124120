"""What an execution can change: in Studio, on the schedule, or with start.

Each parameter has its default from settings and reaches at least one step. A list of choices is given where the set
is closed: there Studio shows a menu, and the service refuses anything else. Machines are such a set: the image and
the volume key are chosen when the definition is built, so an execution may choose among machines for which they are
right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from pedigree.aws.machines import SMDDP_TYPES, menu
from pipeline.settings.tree import Settings
from steps import dag
from steps.register_model import Approval

Value = str | int | float
_KINDS: Mapping[type, str] = {str: "text in quotes", int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class Parameter:
    """A value that has a default, from the setting of that key, and can be given anew at every start."""

    name: str
    key: str
    default: Value
    choices: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What it takes, as somebody would write it."""
        return _KINDS[type(self.default)]

    def takes(self, value: Value) -> bool:
        """Whether a value is of its kind; a whole number is a number, too."""
        return isinstance(value, (int, float) if isinstance(self.default, float) else type(self.default))

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


def _data_and_training(s: Settings) -> Iterator[Parameter]:
    processing = menu("Processing", s.processing.instance_type, s.processing.alternatives)
    training = menu("Training", s.training.instance_type, s.training.alternatives)
    yield Parameter("InputDataUrl", "data.source", s.data.source_url(s.site.network.isolation))
    yield Parameter("ProcessingInstanceType", "processing.instance_type", s.processing.instance_type, processing)
    yield Parameter("TrainingInstanceType", "training.instance_type", s.training.instance_type, training)
    yield Parameter("Epochs", "training.epochs", s.training.epochs)
    if s.tuning.strategy != "Grid":
        yield Parameter("TuningMaxJobs", "tuning.max_jobs", s.tuning.max_jobs)
    yield Parameter("TuningMaxParallelJobs", "tuning.parallel_jobs", s.tuning.parallel_jobs)


def _distributed(s: Settings) -> Iterator[Parameter]:
    chosen = s.distributed
    if chosen.enabled:
        alternatives = chosen.alternatives or (SMDDP_TYPES if chosen.launcher == "smddp" else ())
        machines = menu("Training", chosen.instance_type, alternatives)
        yield Parameter("DistributedInstanceType", "distributed.instance_type", chosen.instance_type, machines)
        yield Parameter("DistributedInstanceCount", "distributed.instance_count", chosen.instance_count)


def _deployment(s: Settings) -> Iterator[Parameter]:
    machines = s.registry.inference_instance_types
    target = float(s.autoscaling.target_invocations_per_minute)
    yield Parameter("AccuracyThreshold", "quality.accuracy", float(s.quality.accuracy))
    yield Parameter("ModelApprovalStatus", "registry.approval", s.registry.approval, get_args(Approval))
    yield Parameter("EndpointName", "endpoint.name", s.endpoint.name)
    yield Parameter("EndpointInstanceType", "endpoint.instance_type", s.endpoint.instance_type, machines)
    yield Parameter("EndpointInstanceCount", "endpoint.instance_count", s.endpoint.instance_count)
    yield Parameter("AutoscalingMinCapacity", "autoscaling.min_capacity", s.autoscaling.min_capacity)
    yield Parameter("AutoscalingMaxCapacity", "autoscaling.max_capacity", s.autoscaling.max_capacity)
    yield Parameter("AutoscalingTargetInvocations", "autoscaling.target_invocations_per_minute", target)
