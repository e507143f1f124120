"""ForEach steps: run the steps of their body for each item of a list, some at once.

The steps of the iterations are steps of the execution: the executor starts, polls, repeats and stops them as all
others. This runner only says which of them come next, and what they came to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedigree.language.iteration import selected_field
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.sagemaker.executions.core import iterations, planner
from pedigree.localaws.services.sagemaker.executions.core.errors import ValueMissingError
from pedigree.localaws.services.sagemaker.executions.core.iterations import Copy
from pedigree.localaws.services.sagemaker.executions.core.planner import Admit, Graph, StepProgress, StepSchedule
from pedigree.localaws.services.sagemaker.executions.core.values import value_at
from pedigree.localaws.services.sagemaker.executions.steps.runner import Attempt, StepResult

_COUNTED = {"Succeeded": "SucceededStepCount", "Failed": "FailedStepCount", "Stopped": "StoppedStepCount"}


@dataclass(frozen=True)
class _Plan:
    """The iterations of an attempt."""

    items: Sequence[Any]
    copies: Mapping[str, Copy]
    graph: Graph


class ForEachRunner:
    """Runs a step for each item of a list."""

    def __init__(self) -> None:
        self._plans: dict[str, _Plan] = {}

    def start(self, attempt: Attempt) -> Mapping[str, Any]:
        plan = self._plan(attempt)
        return {"ForEach": {"InputItemCount": len(plan.items), "TotalStepCount": len(plan.copies)}}

    def poll(self, attempt: Attempt) -> StepResult | None:
        """Admit the steps that come next; the result, once none is left."""
        plan = self._plan(attempt)
        records = attempt.active.records.of_parent(attempt.step.name)
        actions = _schedule(plan, records).next_actions(_at_once(attempt), is_stopping=attempt.active.is_stopping)
        ends = [action for action in actions if not isinstance(action, Admit)]
        for action in actions:
            if isinstance(action, Admit):
                copy = plan.copies[action.step]
                attempt.active.admit_copy(copy.step, copy.context(attempt.step.name))
        if not ends:
            return None
        self._plans.pop(attempt.name)
        return _result(attempt, plan, records, ends[0])

    def stop(self, attempt: Attempt) -> None:
        """Do nothing: the executor stops the steps of the iterations, and no further ones start."""

    def _plan(self, attempt: Attempt) -> _Plan:
        if attempt.name not in self._plans:
            items = iterations.items(attempt.step, attempt.arguments["IterableItems"])
            copies = iterations.copies(attempt.step, items)
            graph = planner.graph(iterations.definition(copies))
            self._plans[attempt.name] = _Plan(items, {copy.step.name: copy for copy in copies}, graph)
        return self._plans[attempt.name]


def _schedule(plan: _Plan, records: Mapping[str, Document]) -> StepSchedule:
    """How far the iterations are. After a restart it is the same: it follows from what is stored."""
    progress = {name: StepProgress(record["StepStatus"], record.get("_outcome")) for name, record in records.items()}
    return StepSchedule(plan.graph, progress)


def _at_once(attempt: Attempt) -> int:
    """How many steps of the iterations run at the same time."""
    of_execution = (attempt.execution.get("ParallelismConfiguration") or {}).get("MaxParallelExecutionSteps")
    own = int(attempt.arguments["MaxConcurrency"])
    return min(own, of_execution) if of_execution else own


def _result(attempt: Attempt, plan: _Plan, records: Mapping[str, Document], end: planner.EndExecution) -> StepResult:
    counts = _counts(plan, records)
    if counts["FailedStepCount"]:
        failed = [name for name, record in records.items() if record["StepStatus"] == "Failed"]
        reason = f"{', '.join(failed)} failed: {records[failed[0]].get('FailureReason') or 'without a reason'}"
        return StepResult("Failed", reason=reason, metadata={"Status": "Failed", **counts})
    if end.status == "Stopped":
        return StepResult("Stopped", metadata={"Status": "Stopped", **counts})
    outcome = {"Status": "Succeeded", **counts}
    outputs = [_outputs(plan, records, index) for index in range(len(plan.items))]
    described = {**outcome, "IterationOutputs": outputs}
    try:
        selected = _selected(attempt, outputs)
    except ValueMissingError as error:
        return StepResult("Failed", reason=str(error), metadata={"Status": "Failed", **counts})
    if selected is None:
        return StepResult("Succeeded", described, metadata=outcome)
    name, index = selected
    described["Selected"] = outputs[index][name]
    return StepResult("Succeeded", described, metadata={**outcome, "Selector": {"StepName": name, "Index": index}})


def _counts(plan: _Plan, records: Mapping[str, Document]) -> dict[str, int]:
    statuses = [record["StepStatus"] for record in records.values()]
    counts = {member: statuses.count(status) for status, member in _COUNTED.items()}
    return {"InputItemCount": len(plan.items), "TotalStepCount": len(plan.copies), **counts}


def _outputs(plan: _Plan, records: Mapping[str, Document], index: int) -> Mapping[str, Any]:
    """What the steps of an iteration are described by, under their names in the body."""
    copies = [copy for copy in plan.copies.values() if copy.index == index]
    return {copy.base: records[copy.step.name].get("_described") or {} for copy in copies if copy.step.name in records}


def _selected(attempt: Attempt, outputs: Sequence[Mapping[str, Any]]) -> tuple[str, int] | None:
    """The step of the body by which an iteration is selected, and the index of that iteration."""
    field = selected_field(attempt.step)
    if field is None or not outputs:
        return None
    name = field.root.partition(".")[2]
    values = [
        _number(value_at(output[name], field.path, f"step {name}-{index}")) for index, output in enumerate(outputs)
    ]
    best = max if attempt.step.arguments["Selector"]["Pick"] == "MaxBy" else min
    return name, best(range(len(values)), key=values.__getitem__)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueMissingError(f"the selector compares {value!r}, which is no number") from None
