"""Runs searches: follows their trials, and carries out the decisions of decisions.py.

One thread does this. A trial is stored before its job starts, and the decision to stop it before its job is
stopped; the job's name follows from the search. So a killed tuner's successor continues from the store, and finds the
running jobs by their names.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Mapping
from dataclasses import replace

from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.jobs.events import job_changed
from pedigree.localaws.services.sagemaker.resources import tags
from pedigree.localaws.services.sagemaker.tuning import state
from pedigree.localaws.services.sagemaker.tuning.decisions import EndSearch, StartTrial, StopTrial, next_actions
from pedigree.localaws.services.sagemaker.tuning.plan import SearchPlan, plan_of
from pedigree.localaws.services.sagemaker.tuning.search import next_point
from pedigree.localaws.services.sagemaker.tuning.training_jobs import TrainingJobs
from pedigree.localaws.services.sagemaker.tuning.trials import Trial, job_name

_LOG = logging.getLogger(__name__)
_LONGEST_WAIT = 1.0
# A running trial logs its values without waking the tuner.
_COMPARING_WAIT = 0.2


class Tuner:
    """Runs all searches that are not over."""

    def __init__(self, world: World, training_jobs: TrainingJobs) -> None:
        self._world = world
        self._training_jobs = training_jobs
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="tuner", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Stop working; searches stay as they are and continue with the next tuner."""
        self._ending.set()
        self._world.signal.wake()
        self._thread.join()

    def trials(self, plan: SearchPlan) -> list[Trial]:
        """The present state of a search's trials."""
        return [self._training_jobs.current(plan, trial) for trial in state.trials_of(self._world, plan.name)]

    def arn(self, trial: Trial) -> str:
        return self._training_jobs.arn(trial.job)

    def advance(self, name: str) -> None:
        """Advance one search as far as it can go now."""
        try:
            while self._advance_once(name):
                pass
        except Exception:  # noqa: BLE001  # a bug in here must not hold up the other searches
            _LOG.exception("tuning job %s cannot go on", name)
            self._end(name, EndSearch("Failed", "InternalServerError: see the local AWS's log"))

    def _work(self) -> None:
        while not self._ending.is_set():
            wait = _LONGEST_WAIT
            try:
                running = self._running()
                for name in running:
                    self.advance(name)
                if any(plan_of(body).compares_running_trials for body in running.values()):
                    wait = _COMPARING_WAIT
            except Exception:  # noqa: BLE001  # e.g. a full disk: searches continue once there is room
                _LOG.exception("searches cannot be stored")
            self._world.signal.wait(wait)

    def _running(self) -> Mapping[str, Document]:
        entries = self._world.store.entries(state.JOB)
        return {entry.name: entry.body for entry in entries if entry.body[state.STATUS] in state.RUNNING}

    def _advance_once(self, name: str) -> bool:
        """Follow the trials and do what follows from them; whether there was anything to do."""
        search = self._world.store.find(state.JOB, name)
        if search is None or search[state.STATUS] not in state.RUNNING:
            return False
        plan = plan_of(search)
        trials = [self._followed(plan, search, trial) for trial in state.trials_of(self._world, name)]
        is_stopping = search[state.STATUS] == "Stopping"
        actions = next_actions(plan, trials, self._seconds(search), is_stopping=is_stopping)
        for action in actions:
            if isinstance(action, StartTrial):
                trials.append(self._admit(plan, search, action, trials))
            elif isinstance(action, StopTrial):
                state.keep(self._world, name, replace(action.trial, is_given_up=True))
            else:
                self._end(name, action)
        return bool(actions)

    def _followed(self, plan: SearchPlan, search: Document, stored: Trial) -> Trial:
        """The present state of a trial; its job is started or stopped where that is decided and not done yet."""
        if stored.is_over:
            return stored
        started = self._training_jobs.start(
            plan, search, stored, tags.of(self._world, search["HyperParameterTuningJobArn"])
        )
        trial = self._training_jobs.current(plan, started)
        if trial.is_over:
            state.keep(self._world, plan.name, trial)
        elif trial.is_given_up and trial.status == "InProgress":
            self._training_jobs.stop(trial)
        return trial

    def _admit(self, plan: SearchPlan, search: Document, action: StartTrial, trials: list[Trial]) -> Trial:
        """Store a trial that starts, and its values; its job starts when the trial is followed."""
        parents = state.parents(search)
        earlier = [trial for parent in parents for trial in state.trials_of(self._world, parent)]
        tuned = next_point(plan, action.definition, action.number, [*earlier, *trials])
        job = job_name(plan.name, search["CreationTime"], action.number)
        trial = Trial(action.number, action.definition, job, tuned, self._world.now())
        state.keep(self._world, plan.name, trial)
        return trial

    def _seconds(self, search: Document) -> float:
        started = dt.datetime.fromisoformat(search["CreationTime"])
        return (self._world.clock.now() - started).total_seconds()

    def _end(self, name: str, end: EndSearch) -> None:
        """Store that a search is over."""
        moment = self._world.now()
        members = {state.STATUS: end.status, "LastModifiedTime": moment, "HyperParameterTuningEndTime": moment}
        reason = {"FailureReason": end.reason} if end.reason else {}
        with self._world.store.transaction():
            before = self._world.store.get(state.JOB, name)
            search = self._world.store.update(state.JOB, name, lambda search: {**search, **members, **reason})
            job_changed(self._world, state.JOB, search, before)
        self._world.signal.wake()
