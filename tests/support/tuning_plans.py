"""Small tuning jobs and trials, which a test changes where it matters."""

from __future__ import annotations

from typing import Any

from pedigree.localaws.services.sagemaker.tuning.plan import SearchPlan, plan_of
from pedigree.localaws.services.sagemaker.tuning.trials import Trial

LETTERS = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["a", "b", "c"]}]}


def request(**changes: Any) -> dict[str, Any]:
    config = {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]},
        **changes.pop("config", {}),
    }
    definition = {
        "AlgorithmSpecification": {"MetricDefinitions": [{"Name": "loss", "Regex": "."}]},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "StaticHyperParameters": {"epochs": "9"},
        **changes.pop("definition", {}),
    }
    name = {"HyperParameterTuningJobName": "search"}
    return {**name, "HyperParameterTuningJobConfig": config, "TrainingJobDefinition": definition, **changes}


def plan(**config: Any) -> SearchPlan:
    return plan_of(request(config=config))


def trial(number: int, *series: float, status: str = "Completed", **members: Any) -> Trial:
    objective = series[-1] if series and status in ("Completed", "Stopped") else None
    fields: dict[str, Any] = {"status": status, "series": series, "objective": objective, "ended": f"{number:03d}"}
    fields |= {"tuned": {"x": str(number)}, "created": "now", "job": f"search-{number}"}
    return Trial(number, 0, **{**fields, **members})


def running(number: int, *series: float, **members: Any) -> Trial:
    return trial(number, *series, status="InProgress", **members)


def grid(**config: Any) -> SearchPlan:
    limits = {"ResourceLimits": {"MaxParallelTrainingJobs": 2}}
    return plan(**{"Strategy": "Grid", "ParameterRanges": LETTERS, **limits, **config})
