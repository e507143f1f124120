"""The tuner: it looks how far each search is, and does what follows.

One thread does all of it. A trial is in the store before its job is begun, and that it is given up before its job is
stopped; its job's name follows from the search. So a tuner that was killed goes on where the store says: trials that
have ended are told to the search again, and running ones are looked at under their names.
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
from pedigree.localaws.services.sagemaker.tuning import state as records
from pedigree.localaws.services.sagemaker.tuning.decisions import Begin, End, GiveUp, next_actions
from pedigree.localaws.services.sagemaker.tuning.plan import Plan, plan_of
from pedigree.localaws.services.sagemaker.tuning.search import next_point
from pedigree.localaws.services.sagemaker.tuning.training_jobs import TrainingJobs
from pedigree.localaws.services.sagemaker.tuning.trials import Trial, job_name

_LOG = logging.getLogger(__name__)
_LONGEST_WAIT = 1.0
# A running trial tells its values without waking anybody.
_COMPARING_WAIT = 0.2


class Tuner:
    """Carries out all searches that are not over."""

    def __init__(self, world: World, training_jobs: TrainingJobs) -> None:
        self._world = world
        self._training_jobs = training_jobs
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="tuner", daemon=True)

    def begin(self) -> None:
        """Start to work, with what is in the store."""
        self._thread.start()

    def end(self) -> None:
        """Stop working; searches stay as they are and go on with the next tuner."""
        self._ending.set()
        self._world.signal.wake()
        self._thread.join()

    def trials(self, plan: Plan) -> list[Trial]:
        """The trials of a search as they are now."""
        return [self._training_jobs.look(plan, one) for one in records.trials_of(self._world, plan.name)]

    def arn(self, trial: Trial) -> str:
        """The ARN of a trial's training job."""
        return self._training_jobs.arn(trial.job)

    def advance(self, name: str) -> None:
        """Bring one search as far as it can go now."""
        try:
            while self._step(name):
                pass
        except Exception:  # noqa: BLE001  # a bug in here must not hold up the other searches
            _LOG.exception("tuning job %s cannot go on", name)
            self._note(name, End("Failed", "InternalServerError: see the local AWS's log"))

    def _work(self) -> None:
        while not self._ending.is_set():
            wait = _LONGEST_WAIT
            try:
                running = self._running()
                for name in running:
                    self.advance(name)
                if any(plan_of(body).compares_running_trials for body in running.values()):
                    wait = _COMPARING_WAIT
            except Exception:  # noqa: BLE001  # a full disk, say: searches go on once there is room
                _LOG.exception("nothing can be kept")
            self._world.signal.wait(wait)

    def _running(self) -> Mapping[str, Document]:
        entries = self._world.store.entries(records.JOB)
        return {one.name: one.body for one in entries if one.body[records.STATUS] in records.RUNNING}

    def _step(self, name: str) -> bool:
        """Look at the trials and do what follows; whether there was anything to do."""
        search = self._world.store.find(records.JOB, name)
        if search is None or search[records.STATUS] not in records.RUNNING:
            return False
        plan = plan_of(search)
        trials = [self._followed(plan, search, one) for one in records.trials_of(self._world, name)]
        is_stopping = search[records.STATUS] == "Stopping"
        actions = next_actions(plan, trials, self._seconds(search), is_stopping=is_stopping)
        for action in actions:
            if isinstance(action, Begin):
                trials.append(self._admit(plan, search, action, trials))
            elif isinstance(action, GiveUp):
                records.keep(self._world, name, replace(action.trial, is_given_up=True))
            else:
                self._note(name, action)
        return bool(actions)

    def _followed(self, plan: Plan, search: Document, kept: Trial) -> Trial:
        """A trial as it is now, its job begun or stopped where that was decided and not yet done."""
        if kept.is_over:
            return kept
        begun = self._training_jobs.begin(
            plan, search, kept, tags.of(self._world, search["HyperParameterTuningJobArn"])
        )
        trial = self._training_jobs.look(plan, begun)
        if trial.is_over:
            records.keep(self._world, plan.name, trial)
        elif trial.is_given_up and trial.status == "InProgress":
            self._training_jobs.stop(trial)
        return trial

    def _admit(self, plan: Plan, search: Document, action: Begin, trials: list[Trial]) -> Trial:
        """Note that a trial begins, and with which values; its job is begun when it is looked at."""
        earlier = [one for parent in records.parents(search) for one in records.trials_of(self._world, parent)]
        tuned = next_point(plan, action.definition, action.number, [*earlier, *trials])
        job = job_name(plan.name, search["CreationTime"], action.number)
        trial = Trial(action.number, action.definition, job, tuned, self._world.now())
        records.keep(self._world, plan.name, trial)
        return trial

    def _seconds(self, search: Document) -> float:
        begun = dt.datetime.fromisoformat(search["CreationTime"])
        return (self._world.clock.now() - begun).total_seconds()

    def _note(self, name: str, end: End) -> None:
        """Say that a search is over."""
        moment = self._world.now()
        members = {records.STATUS: end.status, "LastModifiedTime": moment, "HyperParameterTuningEndTime": moment}
        reason = {"FailureReason": end.reason} if end.reason else {}
        with self._world.store.transaction():
            before = self._world.store.get(records.JOB, name)
            search = self._world.store.update(records.JOB, name, lambda search: {**search, **members, **reason})
            job_changed(self._world, records.JOB, search, before)
        self._world.signal.wake()
