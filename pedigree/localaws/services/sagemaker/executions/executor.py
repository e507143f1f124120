"""Runs pipeline executions: polls the running steps, and carries out the planner's actions.

One thread does this; it wakes when something has changed. Every transition is stored before it has an effect that
others can see, and everything that a step creates has a name of its own. So a killed executor's successor continues
from the store: what had ended stays ended, what was running is polled again, or started again under the same name.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions.core import state
from pedigree.localaws.services.sagemaker.executions.core.active import ActiveExecution, Read
from pedigree.localaws.services.sagemaker.executions.core.planner import Admit, EndExecution
from pedigree.localaws.services.sagemaker.executions.steps import attempts
from pedigree.localaws.services.sagemaker.executions.steps.runner import Attempt, StepRunner
from pedigree.localaws.services.sagemaker.executions.steps.types import STEP_TYPES

_LOG = logging.getLogger(__name__)
POLL_SECONDS = 1.0
"""How long the executor waits at most; what is due by the clock alone is late by no more than this."""
_AFTER_A_FAILURE = 1.0
# That a step is Executing is stored this late, or together with what happens meanwhile: each transaction waits for the
# disk. A successor that finds the step Starting starts it again under the same name, as it would a moment earlier.
_STORE_LATER_SECONDS = 0.05


class Executor:
    """Runs all executions that are not over."""

    def __init__(
        self,
        world: World,
        runners: Mapping[str, StepRunner],
        read: Read | None = None,
        *,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._world = world
        self._runners = runners
        self._poll_seconds = poll_seconds
        self._read = read or (lambda _execution, address: world.objects.read(address))
        self._active: dict[str, ActiveExecution] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="executor", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Stop working; executions stay as they are and continue with the next executor."""
        self._ending.set()
        self._world.signal.wake()
        self._thread.join()

    def advance(self, execution_id: str) -> None:
        """Advance one execution as far as it can go now, and store how far that is."""
        self._advance(execution_id)
        self._store_changes()

    def _work(self) -> None:
        while not self._ending.is_set():
            try:
                self._work_once()
            except Exception:  # noqa: BLE001  # e.g. a full disk: executions continue once there is room
                _LOG.exception("executions cannot be stored")
                self._ending.wait(_AFTER_A_FAILURE)

    def _work_once(self) -> None:
        for entry in self._world.store.entries(state.ACTIVE):
            self._advance(entry.name)
        since = [execution.records.unstored_since for execution in self._active.values()]
        oldest = min((moment for moment in since if moment is not None), default=None)
        if oldest is not None and not self._ending.is_set():
            left = oldest + _STORE_LATER_SECONDS - self._world.clock.monotonic()
            if left > 0 and self._world.signal.wait(left):
                return
        self._store_changes()
        self._world.signal.wait(self._poll_seconds)

    def _store_changes(self) -> None:
        for execution in tuple(self._active.values()):
            execution.records.store()

    def _advance(self, execution_id: str) -> None:
        try:
            execution = self._active.get(execution_id)
            if execution is None:
                execution = self._active[execution_id] = ActiveExecution(self._world, execution_id, self._read)
            while self._advance_once(execution):
                pass
        except Exception:  # noqa: BLE001  # a bug in here must not hold up the other executions
            _LOG.exception("execution %s cannot go on", execution_id)
            self._finish(execution_id, EndExecution("Failed", "Internal failure of the local AWS; its log says more"))

    def _advance_once(self, execution: ActiveExecution) -> bool:
        """Poll the steps that run, admit those that can start, and start them; whether anything changed."""
        execution.refresh()
        if execution.is_over:
            self._active.pop(execution.id, None)
            return False
        running = execution.records.running()
        ended = [self._poll(execution, step) for step in running if step["StepStatus"] != "Starting"]
        return self._apply_plan(execution, has_changed=any(ended))

    def _apply_plan(self, execution: ActiveExecution, *, has_changed: bool) -> bool:
        """Do what the planner says; whether anything changed.

        After the end nothing follows: a client may retry the execution at once, which makes another ActiveExecution.
        """
        for action in execution.next_actions():
            if isinstance(action, Admit):
                execution.admit(action.step)
            else:
                self._finish(execution.id, action)
                return False
        return self._start_admitted(execution) or has_changed

    def _start_admitted(self, execution: ActiveExecution) -> bool:
        """Start the steps that are due; whether there were any."""
        starting = [step for step in execution.records.running() if step["StepStatus"] == "Starting"]
        if any(STEP_TYPES[step["_type"]].has_effects for step in starting):
            execution.records.store()
        started = [self._start(execution, step) for step in starting]
        return any(started)

    def _start(self, execution: ActiveExecution, step: Document) -> bool:
        attempt = self._attempt(execution, step)
        if execution.is_stopping:
            attempts.change(attempt, StepStatus="Stopped", EndTime=self._world.now())
            return True
        due = attempts.is_due(attempt)
        if due:
            attempts.start(attempt, self._runners[attempt.step.type])
        return due

    def _poll(self, execution: ActiveExecution, step: Document) -> bool:
        attempt = self._attempt(execution, step)
        runner = self._runners[attempt.step.type]
        stops_now = execution.is_stopping and step["StepStatus"] != "Stopping"
        return (stops_now and attempts.stop(attempt, runner)) or attempts.poll(attempt, runner)

    def _finish(self, execution_id: str, end: EndExecution) -> None:
        execution = self._active.pop(execution_id, None)
        with self._world.store.transaction():
            if execution is not None:
                execution.records.store()
            state.change(
                self._world, execution_id, PipelineExecutionStatus=end.status, FailureReason=end.reason or None
            )
            if self._world.store.find(state.ACTIVE, execution_id) is not None:
                self._world.store.remove(state.ACTIVE, execution_id)

    def _attempt(self, execution: ActiveExecution, step: Document) -> Attempt:
        defined = execution.step(step["StepName"])
        return Attempt(self._world, execution, defined, step.get("_arguments", {}), step["_attempt"])
