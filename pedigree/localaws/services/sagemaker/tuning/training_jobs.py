"""The training jobs of searches: started, followed and stopped through SageMaker's own operations."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.tuning.plan import SearchPlan
from pedigree.localaws.services.sagemaker.tuning.trials import Trial, followed

Call: TypeAlias = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""Calls an operation of SageMaker."""
Series: TypeAlias = Callable[[str, str], Sequence[float]]
"""Returns the values of a metric that a training job has logged so far."""
_LOG = logging.getLogger(__name__)
_JOB = "training-job"


@dataclass(frozen=True)
class TrainingJobs:
    """The training jobs of all searches."""

    world: World
    call: Call
    series: Series

    def arn(self, job: str) -> str:
        return self.world.arn("sagemaker", f"{_JOB}/{job}")

    def current(self, plan: SearchPlan, trial: Trial) -> Trial:
        """The present state of a trial; one whose job has not started is unchanged."""
        job = self.world.store.find(_JOB, trial.job)
        if trial.is_over or job is None:
            return trial
        metric = plan.definitions[trial.definition].objective.metric
        return followed(trial, job, metric, self.series(trial.job, metric))

    def start(self, plan: SearchPlan, search: Document, trial: Trial, tags: Mapping[str, str]) -> Trial:
        """Start a trial's job, unless it has started; if the service refuses the job, the trial has failed."""
        if self.world.store.find(_JOB, trial.job) is not None:
            return trial
        request = plan.definitions[trial.definition].request(trial.job, trial.tuned)
        labels = [{"Key": key, "Value": value} for key, value in tags.items()]
        member = {"TuningJobArn": search["HyperParameterTuningJobArn"]}
        try:
            with self.world.store.transaction():
                self.call("CreateTrainingJob", {**request, **({"Tags": labels} if labels else {})})
                self.world.store.update(_JOB, trial.job, lambda before: {**before, **member})
        except ServiceError as error:
            return replace(trial, status="Failed", reason=f"{error.code}: {error}", ended=self.world.now())
        return trial

    def stop(self, trial: Trial) -> None:
        """Stop a trial's job, unless it has just ended."""
        try:
            self.call("StopTrainingJob", {"TrainingJobName": trial.job})
        except ServiceError as error:
            _LOG.info("trial %s is not stopped: %s", trial.job, error)
