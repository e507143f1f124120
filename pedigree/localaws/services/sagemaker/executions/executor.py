"""The executor: it looks how far each execution is, asks the planner what follows, and does it.

One thread does all of it, woken whenever something has changed. Every transition is in the store before anything
follows from it that others can see, and everything that is begun has a name of its own, so an executor that was killed
goes on where the store says: what had ended stays ended, what was running is looked at again, or begun again under the
same name.
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
from pedigree.localaws.services.sagemaker.executions.knowledge import Knowledge
from pedigree.localaws.services.sagemaker.executions.ledger import Ledger
from pedigree.localaws.services.sagemaker.executions.planner import End, Graph, Start
from pedigree.localaws.services.sagemaker.executions.steps import attempts
from pedigree.localaws.services.sagemaker.executions.steps.runner import Run, Runner

Read: TypeAlias = Callable[[Document, str], bytes]
"""The content of an object, for an execution."""
_LOG = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
"""How long it waits when nobody says that anything has changed; what is due by the clock alone comes so late."""
_AFTER_A_FAILURE = 1.0
_USUAL_PARALLEL_STEPS = 50
# Nobody but the execution itself hears of these, so nothing must be in the store before they are begun.
_ON_THE_SPOT = ("Condition", "Fail")


@lru_cache(maxsize=32)
def _read(text: str) -> tuple[Definition, Graph]:
    parsed = definition.parse(text)
    return parsed, planner.graph(parsed)


class Executor:
    """Carries out all executions that are not over."""

    def __init__(
        self,
        world: World,
        runners: Mapping[str, Runner],
        read: Read | None = None,
        *,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._world = world
        self._runners = runners
        self._look_seconds = look_seconds
        self._read = read or (lambda _execution, address: world.objects.read(address))
        self._ledgers: dict[str, Ledger] = {}
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
            ledger = self._ledgers.get(execution_id) or Ledger(self._world, execution_id)
            self._ledgers[execution_id] = ledger
            while self._turn(execution_id, ledger):
                pass
            ledger.keep()
        except Exception:  # noqa: BLE001  # a bug in here must not hold up the other executions
            _LOG.exception("execution %s cannot go on", execution_id)
            self._finish(execution_id, End("Failed", "Internal failure of the local AWS; its log says more"))

    def _work(self) -> None:
        while not self._ending.is_set():
            try:
                for entry in self._world.store.entries(state.ACTIVE):
                    self.advance(entry.name)
            except Exception:  # noqa: BLE001  # a full disk, say: executions go on once there is room
                _LOG.exception("nothing can be kept")
                self._ending.wait(_AFTER_A_FAILURE)
            self._world.signal.wait(self._look_seconds)

    def _turn(self, execution_id: str, ledger: Ledger) -> bool:
        """Look at the steps that run, and do what the planner says; whether anything came of it."""
        execution = self._world.store.get(state.EXECUTION, execution_id)
        if execution["PipelineExecutionStatus"] in state.OVER:
            self._ledgers.pop(execution_id, None)
            return False
        return self._look(execution, ledger) or self._act(execution, ledger)

    def _look(self, execution: Document, ledger: Ledger) -> bool:
        """See which steps have ended, then begin those that are due; whether anything came of it."""
        read = partial(self._read, execution)
        knowledge = Knowledge(self._world, execution, _read(execution["_definition"])[0], ledger.steps, read)
        running = [one for one in ledger.steps.values() if one["StepStatus"] in planner.RUNNING]
        begun = [one for one in running if one["StepStatus"] != "Starting"]
        changed = [self._look_at(self._run(knowledge, ledger, one), one) for one in begun]
        starting = [one for one in running if one["StepStatus"] == "Starting"]
        if any(knowledge.definition.by_name()[one["StepName"]].type not in _ON_THE_SPOT for one in starting):
            ledger.keep()
        changed += [self._begin(self._run(knowledge, ledger, one), one) for one in starting]
        return any(changed)

    def _begin(self, run: Run, body: Document) -> bool:
        if run.execution["PipelineExecutionStatus"] == "Stopping":
            attempts.change(run, StepStatus="Stopped", EndTime=self._world.now())
            return True
        due = attempts.is_due(run, body)
        if due:
            attempts.begin(run, self._runners[run.step.type])
        return due

    def _look_at(self, run: Run, body: Document) -> bool:
        runner = self._runners[run.step.type]
        is_to_be_stopped = run.execution["PipelineExecutionStatus"] == "Stopping" and body["StepStatus"] != "Stopping"
        return (is_to_be_stopped and attempts.stop(run, runner)) or attempts.look(run, runner)

    def _act(self, execution: Document, ledger: Ledger) -> bool:
        """Do what the planner says; whether that leads to more. After the end nothing does: a client may have all of it
        retried at once, and then another ledger tells how far it is."""
        graph = _read(execution["_definition"])[1]
        if "_selected" in execution:
            graph = graph.only(execution["_selected"])
        asked = execution.get("ParallelismConfiguration") or {}
        limit = asked.get("MaxParallelExecutionSteps", _USUAL_PARALLEL_STEPS)
        is_stopping = execution["PipelineExecutionStatus"] == "Stopping"
        actions = planner.next_actions(graph, ledger.progress(is_stopping=is_stopping), limit)
        for action in actions:
            if isinstance(action, Start):
                self._admit(execution, ledger, action.step)
            else:
                self._finish(state.id_of(execution["PipelineExecutionArn"]), action)
        return any(isinstance(action, Start) for action in actions)

    def _admit(self, execution: Document, ledger: Ledger, name: str) -> None:
        """Note that a step starts; it is begun when it is looked at."""
        step = _read(execution["_definition"])[0].by_name()[name]
        ledger.admit(
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
        ledger = self._ledgers.pop(execution_id, None)
        with self._world.store.transaction():
            if ledger is not None:
                ledger.keep()
            state.change(
                self._world, execution_id, PipelineExecutionStatus=end.status, FailureReason=end.reason or None
            )
            if self._world.store.find(state.ACTIVE, execution_id) is not None:
                self._world.store.remove(state.ACTIVE, execution_id)

    def _run(self, knowledge: Knowledge, ledger: Ledger, body: Document) -> Run:
        name = body["StepName"]
        step = knowledge.definition.by_name()[name]
        known, arguments = knowledge.for_step(name), body.get("_arguments", {})
        return Run(self._world, knowledge.execution, ledger, step, known, arguments, body["_attempt"])
