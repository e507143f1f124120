"""The steps of one running execution: read once, changed in memory, and stored together.

Only the executor changes the steps of a running execution, so what it has read stays true. A change is in the store
before anything with an effect outside follows from it; what a killed process loses is worked out again, with the same
result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions.core import events, state
from pedigree.localaws.services.sagemaker.executions.core.planner import RUNNING, StepProgress, StepSchedule


def parent_of(step: Document) -> str:
    """The ForEach step in whose iterations a step runs; empty for a step of the definition."""
    return str((step.get("IterationContext") or {}).get("ParentStepName", ""))


class StepRecords:
    """The steps that have started, by name; a schedule is kept up to date with them.

    unstored_since is the moment, by the monotonic clock, of the first change that is not stored yet.
    """

    def __init__(self, world: World, execution_arn: str, schedule: StepSchedule) -> None:
        self._world = world
        self._arn = execution_arn
        self._id = state.id_of(execution_arn)
        self._schedule = schedule
        self._steps: dict[str, Document] = {}
        self._running: dict[str, None] = {}
        self._described: dict[str, Mapping[str, Any]] = {}
        self._changed: dict[str, None] = {}
        self._transitions: list[tuple[Document, str | None]] = []
        self.unstored_since: float | None = None
        for step in state.steps(world, self._id).values():
            self._keep(step)
        self._last = max((int(step["_order"]) for step in self._steps.values()), default=0)

    def __getitem__(self, name: str) -> Document:
        return self._steps[name]

    def of_parent(self, parent: str) -> Mapping[str, Document]:
        """The steps of a ForEach step's iterations that have started."""
        return {name: step for name, step in self._steps.items() if parent_of(step) == parent}

    def running(self) -> list[Document]:
        """The steps that have not ended, the one that changed last at the end."""
        return [self._steps[name] for name in self._running]

    @property
    def described(self) -> Mapping[str, Mapping[str, Any]]:
        """The descriptions of the steps that have succeeded."""
        return self._described

    def add(self, step: Document) -> None:
        """Add a step that starts, after all others."""
        self._last += 1
        self._change({**step, "_order": f"{self._last:012d}"}, None)

    def change(self, name: str, **members: Any) -> None:
        """Change members of a step."""
        before = self._steps[name]
        self._change({**before, **members}, before["StepStatus"])

    def store(self) -> None:
        """Store all changes in one transaction, and publish an event for each new status."""
        if not self._changed:
            return
        with self._world.store.transaction():
            for name in self._changed:
                state.put_step(self._world, self._id, self._steps[name])
            for step, before in self._transitions:
                events.step_changed(self._world, self._arn, step, before)
        self.unstored_since = None
        self._changed.clear()
        self._transitions.clear()

    def _change(self, step: Document, before: str | None) -> None:
        name = step["StepName"]
        if step["StepStatus"] != before:
            self._transitions.append((step, before))
        self._changed.pop(name, None)
        self._changed[name] = None
        if self.unstored_since is None:
            self.unstored_since = self._world.clock.monotonic()
        self._keep(step)

    def _keep(self, step: Document) -> None:
        name, status = step["StepName"], step["StepStatus"]
        self._steps[name] = step
        self._running.pop(name, None)
        if status in RUNNING:
            self._running[name] = None
        elif status == "Succeeded":
            self._described[name] = step.get("_described") or {}
        if parent_of(step):
            return  # the ForEach step has a schedule of its own, and the execution one for the ForEach step
        self._schedule.record(name, StepProgress(status, step.get("_outcome")))
