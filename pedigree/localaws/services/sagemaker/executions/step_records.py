"""The steps of one execution in its executor's hands: read once, changed in memory, and kept together.

Nobody but the executor changes the steps of an execution that is under way, so what it has read stays true, and a turn
of a long execution costs no more than one of a short one. What is changed is in the store before anything is begun
that others can see; what is lost with a killed process is thought of again, and comes out the same.
"""

from __future__ import annotations

from typing import Any

from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions import state, telling
from pedigree.localaws.services.sagemaker.executions.planner import Progress, Progressed


class Ledger:
    """An execution's steps that have started, by name; the one that was changed last at the end."""

    def __init__(self, world: World, execution_id: str) -> None:
        self._world = world
        self._execution_id = execution_id
        self._arn = state.get(world, execution_id)["PipelineExecutionArn"]
        self.steps: dict[str, Document] = dict(state.steps(world, execution_id))
        self._last = max((int(one["_order"]) for one in self.steps.values()), default=0)
        self._changed: dict[str, None] = {}
        self._untold: list[tuple[Document, str | None]] = []

    def admit(self, body: Document) -> None:
        """Take in a step, after all the others."""
        self._last += 1
        self._put({**body, "_order": f"{self._last:012d}"}, None)

    def change(self, name: str, **members: Any) -> None:
        """Give a step new members."""
        before = self.steps.pop(name)
        self._put({**before, **members}, before["StepStatus"])

    def keep(self) -> None:
        """Put what has changed into the store, all or nothing of it, and tell which statuses are others now."""
        if self._changed:
            with self._world.store.transaction():
                for name in self._changed:
                    state.put_step(self._world, self._execution_id, self.steps[name])
                for body, before in self._untold:
                    telling.step_changed(self._world, self._arn, body, before)
            self._changed.clear()
            self._untold.clear()

    def progress(self, *, is_stopping: bool) -> Progress:
        """How far the execution is, in the planner's words."""
        told = {
            name: Progressed(one["StepStatus"], one.get("_outcome"), one.get("FailureReason") or "")
            for name, one in self.steps.items()
        }
        return Progress(told, is_stopping=is_stopping)

    def _put(self, body: Document, before: str | None) -> None:
        name = body["StepName"]
        if body["StepStatus"] != before:
            self._untold.append((body, before))
        self.steps[name] = body
        self._changed[name] = None
