"""The steps of one running execution: read once, changed in memory, and stored together.

Only the executor changes the steps of a running execution, so what it has read stays true. A change is in the store
before anything with an effect outside follows from it; what a killed process loses is worked out again, with the same
result.
"""

from __future__ import annotations

from typing import Any

from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions import events, state
from pedigree.localaws.services.sagemaker.executions.planner import Progress, StepProgress


class StepRecords:
    """The steps that have started, by name; the one that changed last comes last."""

    def __init__(self, world: World, execution_id: str) -> None:
        self._world = world
        self._execution_id = execution_id
        self._arn = state.get(world, execution_id)["PipelineExecutionArn"]
        self.steps: dict[str, Document] = dict(state.steps(world, execution_id))
        self._last = max((int(step["_order"]) for step in self.steps.values()), default=0)
        self._changed: dict[str, None] = {}
        self._transitions: list[tuple[Document, str | None]] = []

    def add(self, step: Document) -> None:
        """Add a step that starts, after all others."""
        self._last += 1
        self._put({**step, "_order": f"{self._last:012d}"}, None)

    def change(self, name: str, **members: Any) -> None:
        """Change members of a step."""
        before = self.steps.pop(name)
        self._put({**before, **members}, before["StepStatus"])

    def store(self) -> None:
        """Store all changes in one transaction, and emit an event for each new status."""
        if not self._changed:
            return
        with self._world.store.transaction():
            for name in self._changed:
                state.put_step(self._world, self._execution_id, self.steps[name])
            for step, before in self._transitions:
                events.step_changed(self._world, self._arn, step, before)
        self._changed.clear()
        self._transitions.clear()

    def progress(self, *, is_stopping: bool) -> Progress:
        """How far the execution is, for the planner."""
        steps = {
            name: StepProgress(step["StepStatus"], step.get("_outcome"), step.get("FailureReason") or "")
            for name, step in self.steps.items()
        }
        return Progress(steps, is_stopping=is_stopping)

    def _put(self, step: Document, before: str | None) -> None:
        name = step["StepName"]
        if step["StepStatus"] != before:
            self._transitions.append((step, before))
        self.steps[name] = step
        self._changed[name] = None
