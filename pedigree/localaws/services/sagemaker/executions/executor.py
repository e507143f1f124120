"""Runs pipeline executions: polls the steps that run, asks the planner what follows, and does it.

One thread does all of it, woken whenever something has changed. Every transition is stored before it has an effect that
others can see, and everything that a step creates has a name of its own. So a killed executor's successor continues
from the store: what had ended stays ended, what was running is polled again, or started again under the same name.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TypeAlias

from pedigree.language import definition
from pedigree.language.definition import Definition
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions import planner, state
from pedigree.localaws.services.sagemaker.executions.context import ExecutionContext
from pedigree.localaws.services.sagemaker.executions.planner import Admit, End, Graph
from pedigree.localaws.services.sagemaker.executions.step_records import StepRecords
from pedigree.localaws.services.sagemaker.executions.steps import attempts
from pedigree.localaws.services.sagemaker.executions.steps.runner import Attempt, StepRunner
from pedigree.localaws.services.sagemaker.executions.steps.types import STEP_TYPES

Read: TypeAlias = Callable[[Document, str], bytes]
"""Returns the content of an object, as an execution may read it."""
_LOG = logging.getLogger(__name__)
POLL_SECONDS = 1.0
"""How long the executor waits at most; what is due by the clock alone is late by no more than this."""
_AFTER_A_FAILURE = 1.0
_DEFAULT_PARALLEL_STEPS = 50


@lru_cache(maxsize=32)
def _parsed(text: str) -> tuple[Definition, Graph]:
    parsed = definition.parse(text)
    return parsed, planner.graph(parsed)


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
        self._records: dict[str, StepRecords] = {}
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
        """Advance one execution as far as it can go now."""
        try:
            records = self._records.get(execution_id) or StepRecords(self._world, execution_id)
            self._records[execution_id] = records
            while self._advance_once(execution_id, records):
                pass
            records.store()
        except Exception:  # noqa: BLE001  # a bug in here must not hold up the other executions
            _LOG.exception("execution %s cannot go on", execution_id)
            self._finish(execution_id, End("Failed", "Internal failure of the local AWS; its log says more"))

    def _work(self) -> None:
        while not self._ending.is_set():
            try:
                for entry in self._world.store.entries(state.ACTIVE):
                    self.advance(entry.name)
            except Exception:  # noqa: BLE001  # e.g. a full disk: executions continue once there is room
                _LOG.exception("executions cannot be stored")
                self._ending.wait(_AFTER_A_FAILURE)
            self._world.signal.wait(self._poll_seconds)

    def _advance_once(self, execution_id: str, records: StepRecords) -> bool:
        """Poll the steps that run, then do what the planner says; whether anything changed."""
        execution = self._world.store.get(state.EXECUTION, execution_id)
        if execution["PipelineExecutionStatus"] in state.OVER:
            self._records.pop(execution_id, None)
            return False
        return self._poll_running(execution, records) or self._apply_plan(execution, records)

    def _poll_running(self, execution: Document, records: StepRecords) -> bool:
        """Record the steps that have ended, then start those that are due; whether anything changed."""
        read = partial(self._read, execution)
        context = ExecutionContext(self._world, execution, _parsed(execution["_definition"])[0], records.steps, read)
        running = [step for step in records.steps.values() if step["StepStatus"] in planner.RUNNING]
        starting = [step for step in running if step["StepStatus"] == "Starting"]
        started = [step for step in running if step["StepStatus"] != "Starting"]
        changed = [self._poll(self._attempt(context, records, step)) for step in started]
        if any(STEP_TYPES[step["_type"]].has_effects for step in starting):
            records.store()
        changed += [self._start(self._attempt(context, records, step)) for step in starting]
        return any(changed)

    def _start(self, attempt: Attempt) -> bool:
        if attempt.execution["PipelineExecutionStatus"] == "Stopping":
            attempts.change(attempt, StepStatus="Stopped", EndTime=self._world.now())
            return True
        due = attempts.is_due(attempt)
        if due:
            attempts.start(attempt, self._runners[attempt.step.type])
        return due

    def _poll(self, attempt: Attempt) -> bool:
        runner = self._runners[attempt.step.type]
        is_stopping = attempt.execution["PipelineExecutionStatus"] == "Stopping"
        stops_now = is_stopping and attempt.record["StepStatus"] != "Stopping"
        return (stops_now and attempts.stop(attempt, runner)) or attempts.poll(attempt, runner)

    def _apply_plan(self, execution: Document, records: StepRecords) -> bool:
        """Do what the planner says; whether a step was admitted.

        After the end nothing follows: a client may retry the execution at once, and other records say how far it is.
        """
        graph = _parsed(execution["_definition"])[1]
        if "_selected" in execution:
            graph = graph.only(execution["_selected"])
        parallelism = execution.get("ParallelismConfiguration") or {}
        limit = parallelism.get("MaxParallelExecutionSteps", _DEFAULT_PARALLEL_STEPS)
        is_stopping = execution["PipelineExecutionStatus"] == "Stopping"
        actions = planner.next_actions(graph, records.progress(is_stopping=is_stopping), limit)
        for action in actions:
            if isinstance(action, Admit):
                self._admit(execution, records, action.step)
            else:
                self._finish(state.id_of(execution["PipelineExecutionArn"]), action)
        return any(isinstance(action, Admit) for action in actions)

    def _admit(self, execution: Document, records: StepRecords, name: str) -> None:
        """Record that a step starts; the next round starts it."""
        step = _parsed(execution["_definition"])[0].by_name()[name]
        records.add(
            {
                "StepName": name,
                "StepDisplayName": step.document.get("DisplayName"),
                "StepDescription": step.document.get("Description"),
                "StepStatus": "Starting",
                "StartTime": self._world.now(),
                "AttemptCount": 1,
                "_attempt": 0,
                "_type": step.type,
            }
        )

    def _finish(self, execution_id: str, end: End) -> None:
        records = self._records.pop(execution_id, None)
        with self._world.store.transaction():
            if records is not None:
                records.store()
            state.change(
                self._world, execution_id, PipelineExecutionStatus=end.status, FailureReason=end.reason or None
            )
            if self._world.store.find(state.ACTIVE, execution_id) is not None:
                self._world.store.remove(state.ACTIVE, execution_id)

    def _attempt(self, context: ExecutionContext, records: StepRecords, step: Document) -> Attempt:
        name, arguments = step["StepName"], step.get("_arguments", {})
        defined = context.definition.by_name()[name]
        return Attempt(
            self._world, context.execution, records, defined, context.resolver(name), arguments, step["_attempt"]
        )
