"""Reads a search from its request: what it tries, how, how often and until when.

A request that no search can follow is refused in the service's words.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.services.sagemaker.resources.images import metric_definitions
from pedigree.localaws.services.sagemaker.tuning.ranges import Choice, Dimension, combinations, dimensions

_MOST_TRIALS = 750
_MOST_PARALLEL = 100
_MOST_DIMENSIONS = 30
_MOST_HYPERPARAMETERS = 100
_EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
_MOST_EPOCHS = 20_000
# The hyperparameter that SageMaker adds to each training job of a search.
OBJECTIVE_HYPERPARAMETER = "_tuning_objective_metric"
_OWN_MEMBERS = (
    "DefinitionName",
    "TuningObjective",
    "HyperParameterRanges",
    "StaticHyperParameters",
    "HyperParameterTuningResourceConfig",
)


@dataclass(frozen=True)
class Objective:
    """The metric that trials are compared by."""

    metric: str
    type: str

    def loss(self, value: float) -> float:
        """A value as a loss: smaller is better."""
        return -value if self.type == "Maximize" else value


@dataclass(frozen=True)
class TrialDefinition:
    """Training jobs that differ only in their tuned hyperparameters."""

    name: str
    objective: Objective
    space: tuple[Dimension, ...]
    document: Mapping[str, Any]

    def request(self, job: str, tuned: Mapping[str, str]) -> dict[str, Any]:
        """The CreateTrainingJob request of a trial."""
        shared = {key: value for key, value in self.document.items() if key not in _OWN_MEMBERS}
        fixed = self.document.get("StaticHyperParameters", {})
        own = {OBJECTIVE_HYPERPARAMETER: self.objective.metric}
        return {
            **shared,
            "TrainingJobName": job,
            "ResourceConfig": _machines(self.document),
            "HyperParameters": {**fixed, **tuned, **own},
        }


@dataclass(frozen=True)
class SearchPlan:
    """A search; seconds, trials and patience are infinite where the request sets no limit."""

    name: str
    strategy: str
    definitions: tuple[TrialDefinition, ...]
    trials: float
    parallel: int
    seed: int
    seconds: float = math.inf
    target: float | None = None
    patience: float = math.inf
    stops_early: bool = False
    resource: tuple[int, int] = (1, 1)

    @property
    def compares_running_trials(self) -> bool:
        """Whether a running trial may be stopped because of its values so far."""
        return self.stops_early or self.strategy == "Hyperband"


def plan_of(job: Mapping[str, Any]) -> SearchPlan:
    """The search in a CreateHyperParameterTuningJob request; InvalidRequestError if it is not possible."""
    _check_members(job)
    config, definitions = job["HyperParameterTuningJobConfig"], tuple(_definitions(job))
    limits, criteria = config["ResourceLimits"], config.get("TuningJobCompletionCriteria", {})
    strategy = config["Strategy"]
    trials = _TRIALS.get(strategy, _sampled)(definitions, limits)
    return SearchPlan(
        name=job["HyperParameterTuningJobName"],
        strategy=strategy,
        definitions=definitions,
        trials=_within("training jobs per hyperparameter tuning job", trials, _MOST_TRIALS),
        parallel=int(_within("parallel training jobs", limits["MaxParallelTrainingJobs"], _MOST_PARALLEL)),
        seed=config.get("RandomSeed", zlib.crc32(job["HyperParameterTuningJobName"].encode())),
        seconds=limits.get("MaxRuntimeInSeconds", math.inf),
        target=criteria.get("TargetObjectiveMetricValue"),
        patience=criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving", math.inf),
        stops_early=config.get("TrainingJobEarlyStoppingType") == "Auto",
        resource=_resource(config, definitions),
    )


def _check_members(job: Mapping[str, Any]) -> None:
    given = [member for member in ("TrainingJobDefinition", "TrainingJobDefinitions") if member in job]
    if len(given) != 1:
        raise InvalidRequestError("Specify either TrainingJobDefinition or TrainingJobDefinitions, and not both.")
    if "Autotune" in job:
        raise InvalidRequestError("Autotune is not supported by the local AWS: give the ranges in the request.")


def _definitions(job: Mapping[str, Any]) -> Iterator[TrialDefinition]:
    several = job.get("TrainingJobDefinitions", ())
    config = job["HyperParameterTuningJobConfig"]
    usual, ranges = config.get("HyperParameterTuningJobObjective"), config.get("ParameterRanges")
    names = [document.get("DefinitionName", "") for document in several]
    if several and ("" in names or len(set(names)) < len(names)):
        raise InvalidRequestError("Each of the TrainingJobDefinitions needs a DefinitionName of its own.")
    if several and (usual or ranges):
        where = "in each of the TrainingJobDefinitions, and not in the HyperParameterTuningJobConfig"
        raise InvalidRequestError(f"Specify TuningObjective and HyperParameterRanges {where}.")
    for document in several or (job["TrainingJobDefinition"],):
        objective = document.get("TuningObjective") or usual
        space = dimensions(document.get("HyperParameterRanges") or ranges or {})
        yield _checked(document, objective, space)


def _checked(
    document: Mapping[str, Any], objective: Mapping[str, Any] | None, space: tuple[Dimension, ...]
) -> TrialDefinition:
    metrics = [name for name, _ in metric_definitions(document)]
    if objective is None or objective["MetricName"] not in metrics:
        needed = "A metric is required for this hyperparameter tuning job objective."
        raise InvalidRequestError(f"{needed} Provide a metric in the metric definitions.")
    if not 1 <= len(space) <= _MOST_DIMENSIONS:
        raise InvalidRequestError(f"Specify from 1 to {_MOST_DIMENSIONS} hyperparameter ranges.")
    fixed, names = document.get("StaticHyperParameters", {}), [dimension.name for dimension in space]
    twice = sorted({name for name in names if names.count(name) > 1 or name in fixed})
    if twice:
        raise InvalidRequestError(
            f"Hyperparameter [{', '.join(twice)}] is given twice; give it one range or one value."
        )
    if len(names) + len(fixed) + 1 > _MOST_HYPERPARAMETERS:
        raise InvalidRequestError(f"A training job has at most {_MOST_HYPERPARAMETERS} hyperparameters.")
    if not _machines(document).get("InstanceType"):
        raise InvalidRequestError(
            "Specify a ResourceConfig or a HyperParameterTuningResourceConfig with an InstanceType."
        )
    return TrialDefinition(
        document.get("DefinitionName", ""), Objective(objective["MetricName"], objective["Type"]), space, document
    )


def _sampled(definitions: tuple[TrialDefinition, ...], limits: Mapping[str, Any]) -> float:
    """The number of trials if points are drawn: no point is tried twice."""
    most = limits.get("MaxNumberOfTrainingJobs")
    if most is None and "MaxRuntimeInSeconds" not in limits:
        raise InvalidRequestError("Specify MaxNumberOfTrainingJobs or MaxRuntimeInSeconds.")
    available = sum(combinations(definition.space) for definition in definitions)
    if most is not None and available < most:
        raise InvalidRequestError(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            f"combinations for the provided ranges [{float(available)}] must be equal or greater than the value of "
            f"MaxNumberOfJobs, [{most}]. Provide additional ranges."
        )
    return min(available, _MOST_TRIALS if most is None else most)


def _every(definitions: tuple[TrialDefinition, ...], limits: Mapping[str, Any]) -> float:
    """The number of trials if every point is tried."""
    if not all(isinstance(dimension, Choice) for definition in definitions for dimension in definition.space):
        raise InvalidRequestError("Grid search supports only categorical hyperparameter ranges.")
    available = sum(combinations(definition.space) for definition in definitions)
    most = limits.get("MaxNumberOfTrainingJobs", available)
    if most != available:
        count = f"the number of combinations of categorical values, [{available:.0f}]"
        raise InvalidRequestError(f"For grid search MaxNumberOfTrainingJobs, [{most}], must equal {count}.")
    return available


_TRIALS = {"Grid": _every}


def _within(what: str, count: float, most: int) -> float:
    if count > most:
        limit = f"The account-level service limit 'Maximum number of {what}' is {most}"
        raise ServiceError("ResourceLimitExceeded", f"{limit}, and the request asks for {count:.0f}.")
    return count


def _resource(config: Mapping[str, Any], definitions: tuple[TrialDefinition, ...]) -> tuple[int, int]:
    """Hyperband's least and greatest resource of a trial, in epochs."""
    given = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    if config["Strategy"] != "Hyperband":
        if given:
            raise InvalidRequestError("HyperbandStrategyConfig should be provided only if Strategy is Hyperband.")
        return 1, 1
    if config.get("TrainingJobEarlyStoppingType", "Off") != "Off":
        raise InvalidRequestError("TrainingJobEarlyStoppingType must be Off to use Hyperband.")
    least = given.get("MinResource", 1)
    most = given.get("MaxResource") or max((_epochs(definition) for definition in definitions), default=0)
    if not most:
        lacking = "could not be inferred from provided static hyperparameters of TrainingJobDefinition"
        raise InvalidRequestError(f"MaxResource parameter is not provided and {lacking}.")
    if not least <= most <= _MOST_EPOCHS:
        bounds = f"at least MinResource, [{least}], and at most {_MOST_EPOCHS}"
        raise InvalidRequestError(f"MaxResource, [{most}], must be {bounds}.")
    return least, most


def _epochs(definition: TrialDefinition) -> int:
    fixed = definition.document.get("StaticHyperParameters", {})
    epochs = next((fixed[name].strip('"') for name in _EPOCHS if name in fixed), "")
    return int(epochs) if epochs.isdecimal() and len(epochs) <= len(str(_MOST_EPOCHS)) else 0


def _machines(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The machines of a trial; where the request allows several, the first."""
    flexible = document.get("HyperParameterTuningResourceConfig")
    if flexible is None:
        machines: Mapping[str, Any] = document.get("ResourceConfig", {})
        return machines
    first: Mapping[str, Any] = next(iter(flexible.get("InstanceConfigs", ())), {})
    machine = {name: flexible[name] for name in _MACHINE_MEMBERS if name in flexible}
    return {**machine, **first}


_MACHINE_MEMBERS = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
