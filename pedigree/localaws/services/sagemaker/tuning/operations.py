"""The operations of tuning jobs; tuning/tuner.py runs the searches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.jobs.events import job_changed
from pedigree.localaws.services.sagemaker.jobs.resource import JobResource
from pedigree.localaws.services.sagemaker.resources.handlers import Request
from pedigree.localaws.services.sagemaker.resources.listing import Listing
from pedigree.localaws.services.sagemaker.tuning import state
from pedigree.localaws.services.sagemaker.tuning.plan import SearchPlan, plan_of
from pedigree.localaws.services.sagemaker.tuning.state import STATUS
from pedigree.localaws.services.sagemaker.tuning.trials import Trial, best, counters, not_improving, summary
from pedigree.localaws.services.sagemaker.tuning.tuner import Tuner

_NAME = "HyperParameterTuningJobName"


class _TuningResource(JobResource):
    """Tuning jobs have their own error for a name that is missing."""

    def missing(self, world: World, name: str) -> ServiceError:  # noqa: ARG002  # the service names no ARN here
        return ServiceError("ResourceNotFound", f"Amazon SageMaker can't find a tuning job with the name {name}.")


RESOURCE = _TuningResource(
    state.JOB,
    "hyperparameter tuning job",
    _NAME,
    "HyperParameterTuningJobArn",
    Listing("HyperParameterTuningJobSummaries", _NAME, STATUS, ascending=True),
    arn_path="hyper-parameter-tuning-job",
)
_OBJECTIVE = "FinalObjectiveMetricValue"
_TRIALS = Listing("TrainingJobSummaries", "TrainingJobName", "TrainingJobStatus", ascending=True)


@dataclass(frozen=True)
class TuningJobOperations:
    """Tuning jobs and their trials."""

    tuner: Tuner

    def create_hyper_parameter_tuning_job(self, world: World, request: Request) -> Mapping[str, Any]:
        plan_of(request)
        for parent in state.parents(request):
            if RESOURCE.get(world, parent)[STATUS] in state.RUNNING:
                raise InvalidRequestError(f"The parent tuning job {parent} has not ended yet.")
        status = {STATUS: "InProgress", "LastModifiedTime": world.now()}
        search = RESOURCE.create(world, request, **status)
        job_changed(world, state.JOB, search)
        return search

    def describe_hyper_parameter_tuning_job(self, world: World, request: Request) -> Mapping[str, Any]:
        search = RESOURCE.get(world, request[_NAME])
        plan = plan_of(search)
        trials = self.tuner.trials(plan)
        best_trial = best(plan, trials)
        ended = search.get("HyperParameterTuningEndTime") or world.now()
        seconds = _moment(ended) - _moment(search["CreationTime"])
        return {
            **search,
            **counters(trials),
            "BestTrainingJob": self._summary(plan, best_trial) if best_trial else None,
            "OverallBestTrainingJob": self._overall_best(world, search, plan, trials),
            "TuningJobCompletionDetails": {"NumberOfTrainingJobsObjectiveNotImproving": not_improving(plan, trials)},
            "ConsumedResources": {"RuntimeInSeconds": int(seconds.total_seconds())},
        }

    def _overall_best(
        self, world: World, search: Document, plan: SearchPlan, trials: list[Trial]
    ) -> Mapping[str, Any] | None:
        """The best trial of all definitions, or of a search and those that it repeats, with the name of its search."""
        parents = state.parents(search)
        is_repeated = search.get("WarmStartConfig", {}).get("WarmStartType") == "IdenticalDataAndAlgorithm"
        if not is_repeated and "TrainingJobDefinitions" not in search:
            return None
        searches = {plan.name: trials} | {parent: state.trials_of(world, parent) for parent in parents if is_repeated}
        search_of = {trial.job: name for name, of_search in searches.items() for trial in of_search}
        overall = best(plan, [trial for of_search in searches.values() for trial in of_search])
        return {**self._summary(plan, overall), "TuningJobName": search_of[overall.job]} if overall else None

    def list_hyper_parameter_tuning_jobs(self, world: World, request: Request) -> Mapping[str, Any]:
        page = RESOURCE.listing.answer(RESOURCE.all(world), {"SortBy": "Name", **request})
        key = RESOURCE.listing.key
        return {**page, key: [self._listed(search) for search in page[key]]}

    def _listed(self, search: Document) -> Mapping[str, Any]:
        config = search["HyperParameterTuningJobConfig"]
        counted = counters(self.tuner.trials(plan_of(search)))
        return {**search, **counted, "Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"]}

    def list_training_jobs_for_hyper_parameter_tuning_job(self, world: World, request: Request) -> Mapping[str, Any]:
        plan = plan_of(RESOURCE.get(world, request[_NAME]))
        by = request.get("SortBy", "Name")
        trials = [trial for trial in self.tuner.trials(plan) if by != _OBJECTIVE or trial.objective is not None]
        documents = [{**self._summary(plan, trial), _OBJECTIVE: trial.objective} for trial in trials]
        return _TRIALS.answer(documents, {**request, "SortBy": by})

    def _summary(self, plan: SearchPlan, trial: Trial) -> dict[str, Any]:
        return summary(plan, trial, self.tuner.arn(trial))

    def stop_hyper_parameter_tuning_job(self, world: World, request: Request) -> Mapping[str, Any]:
        search = RESOURCE.get(world, request[_NAME])
        if search[STATUS] not in state.RUNNING:
            why = f"the {RESOURCE.label} is in status {search[STATUS]}"
            raise InvalidRequestError(f"The request was rejected because {why}.")

        def stopping(before: Document) -> Document:
            is_running = before[STATUS] in state.RUNNING
            return {**before, STATUS: "Stopping", "LastModifiedTime": world.now()} if is_running else before

        with world.store.transaction():
            before = RESOURCE.get(world, request[_NAME])
            job_changed(world, state.JOB, world.store.update(state.JOB, request[_NAME], stopping), before)
        return {}

    def delete_hyper_parameter_tuning_job(self, world: World, request: Request) -> Mapping[str, Any]:
        name = request[_NAME]
        if RESOURCE.get(world, name)[STATUS] in state.RUNNING:
            raise InvalidRequestError(f"The {RESOURCE.label} {name} has not ended: stop it first.")
        with world.store.transaction():
            RESOURCE.remove(world, name)
            state.forget(world, name)
        return {}


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
