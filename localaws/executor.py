"""The executor: it looks how far each execution is, asks the planner what follows, and does it.

One thread does all of it, woken whenever something has changed. Every transition is in the store before the next one
is thought of, and everything that is begun has a name of its own, so an executor that was killed goes on where the
store says: what had ended stays ended, what was running is looked at again, or begun again under the same name.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TypeAlias

from language import definition
from language.definition import Definition
from localaws import events
from localaws.executions import planner, state
from localaws.executions.knowledge import Knowledge
from localaws.executions.planner import End, Graph, Start
from localaws.steps import attempts
from localaws.steps.runner import Run, Runner
from localaws.store import Document
from localaws.world import World

Read: TypeAlias = Callable[[Document, str], bytes]
"""The content of an object, for an execution."""
_LOG = logging.getLogger(__name__)
_LONGEST_WAIT = 1.0
_USUAL_PARALLEL_STEPS = 50


@lru_cache(maxsize=32)
def _read(text: str) -> tuple[Definition, Graph]:
    parsed = definition.parse(text)
    return parsed, planner.graph(parsed)


class Executor:
    """Carries out all executions that are not over."""

    def __init__(self, world: World, runners: Mapping[str, Runner], read: Read | None = None) -> None:
        self._world = world
        self._runners = runners
        self._read = read or (lambda _execution, address: world.objects.read(address))
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="executor", daemon=True)

    def begin(self) -> None:
        """Start to work."""
        self._thread.start()

    def end(self) -> None:
        """Stop working; executions stay as they are and go on with the next executor."""
        self._ending.set()
        self._world.signal.wake()
        self._thread.join()

    def advance(self, execution_id: str) -> None:
        """Bring one execution as far as it can go now."""
        try:
            while self._look(execution_id) or self._act(execution_id):
                pass
        except Exception:  # noqa: BLE001  # a bug in here must not hold up the other executions
            _LOG.exception("execution %s cannot go on", execution_id)
            self._finish(execution_id, End("Failed", "Internal failure of the local AWS; its log says more"))

    def _work(self) -> None:
        while not self._ending.is_set():
            for entry in self._world.store.entries(state.ACTIVE):
                self.advance(entry.name)
            self._world.signal.wait(_LONGEST_WAIT)

    def _look(self, execution_id: str) -> bool:
        """Begin the steps that are due, look at those that run; whether anything came of it."""
        execution = self._world.store.get(state.EXECUTION, execution_id)
        steps = state.steps(self._world, execution_id)
        read = partial(self._read, execution)
        knowledge = Knowledge(self._world, execution, _read(execution["_definition"])[0], steps, read)
        changed = False
        for one in steps.values():
            if one["StepStatus"] in planner.RUNNING:
                changed |= self._look_at(self._run(knowledge, one), one)
        return changed

    def _look_at(self, run: Run, body: Document) -> bool:
        runner = self._runners[run.step.type]
        is_stopping = run.execution["PipelineExecutionStatus"] == "Stopping"
        if body["StepStatus"] == "Starting":
            if is_stopping:
                attempts.change(run, StepStatus="Stopped", EndTime=self._world.now())
                return True
            due = attempts.is_due(run, body)
            if due:
                attempts.begin(run, runner)
            return due
        is_to_be_stopped = is_stopping and body["StepStatus"] != "Stopping"
        return (is_to_be_stopped and attempts.stop(run, runner)) or attempts.look(run, runner)

    def _act(self, execution_id: str) -> bool:
        """Do what the planner says; whether there was anything to do."""
        execution = self._world.store.get(state.EXECUTION, execution_id)
        if execution["PipelineExecutionStatus"] in state.OVER:
            return False
        graph = _read(execution["_definition"])[1]
        if "_selected" in execution:
            graph = graph.only(execution["_selected"])
        asked = execution.get("ParallelismConfiguration") or {}
        limit = asked.get("MaxParallelExecutionSteps", _USUAL_PARALLEL_STEPS)
        actions = planner.next_actions(graph, state.progress(self._world, execution_id), limit)
        with self._world.store.together():
            for action in actions:
                if isinstance(action, Start):
                    self._admit(execution, action.step)
                else:
                    self._finish(execution_id, action)
        return bool(actions)

    def _admit(self, execution: Document, name: str) -> None:
        """Note that a step starts; it is begun when it is looked at."""
        step = _read(execution["_definition"])[0].by_name()[name]
        body = {
            "StepName": name,
            "StepDisplayName": step.document.get("DisplayName"),
            "StepDescription": step.document.get("Description"),
            "StepStatus": "Starting",
            "StartTime": self._world.now(),
            "AttemptCount": 1,
            "_order": f"{self._world.store.next_number():012d}",
            "_attempt": 0,
        }
        state.put_step(self._world, state.id_of(execution["PipelineExecutionArn"]), body)

    def _finish(self, execution_id: str, end: End) -> None:
        with self._world.store.together():
            execution = state.change(
                self._world, execution_id, PipelineExecutionStatus=end.status, FailureReason=end.reason or None
            )
            if self._world.store.find(state.ACTIVE, execution_id) is not None:
                self._world.store.remove(state.ACTIVE, execution_id)
            arn = execution["PipelineExecutionArn"]
            detail = {"currentPipelineExecutionStatus": end.status, "pipelineExecutionArn": arn}
            events.emit(self._world, "SageMaker Model Building Pipeline Execution Status Change", [arn], detail)

    def _run(self, knowledge: Knowledge, body: Document) -> Run:
        name = body["StepName"]
        step = knowledge.definition.by_name()[name]
        known, arguments = knowledge.for_step(name), body.get("_arguments", {})
        return Run(self._world, knowledge.execution, step, known, arguments, body["_attempt"])
