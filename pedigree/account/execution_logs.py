"""The log of an execution: the lines of all its steps in order of time, and why a step has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.account import executions, progress
from pedigree.account.account import Account
from pedigree.account.errors import InvalidInputError
from pedigree.account.executions import Execution
from pedigree.account.log_streams import EventReader, LogEvent, in_order
from pedigree.account.step_logs import LogFilter, StepLog
from pedigree.errors import Mistake
from pedigree.language.near import suggest

_WITHOUT_LOG = (
    "Condition",
    "Fail",
    "Model",
    "RegisterModel",
    "EndpointConfig",
    "Callback",
    "Lineage",
    "Cleanup",
    "ForEach",
)


class ExecutionLogs:
    """Reads what the steps of an execution write; steps and hosts that begin later join.

    The steps of iterations belong to their ForEach step: who wants that, gets their lines.
    """

    def __init__(self, account: Account, arn: str, wanted: LogFilter) -> None:
        self._account, self._arn, self._wanted = account, arn, wanted
        self._types = {step.name: step.type for step in progress.planned_steps(account, arn)}
        self._parents: Mapping[str, str] = {}
        self._steps: dict[str, StepLog] = {}
        self._readers: list[EventReader] = []
        self._check_steps()

    @property
    def step_names(self) -> list[str]:
        """The steps whose lines are read, in the definition's order."""
        return [name for name in dict.fromkeys((*self._types, *self._steps)) if self._is_wanted(name)]

    def refresh(self) -> Execution:
        """Looks for new steps, jobs and streams; returns the execution's present state."""
        execution = executions.described(self._account, self._arn)
        readers: list[EventReader] = []
        listed = self._listed()
        self._parents = {
            name: step.get("IterationContext", {}).get("ParentStepName", "") for name, step in listed.items()
        }
        for name, step in listed.items():
            if self._is_wanted(name):
                log = self._steps.setdefault(name, StepLog(self._account, self._wanted, step))
                readers.extend(log.update(step))
        self._readers = readers
        return execution

    def new_events(self) -> Iterator[LogEvent]:
        """The events since the last call, the oldest first."""
        return in_order(self._readers)

    def reused(self) -> dict[str, str]:
        """The steps with a log that another execution ran, with its id."""
        return {name: log.reused_from for name, log in self._steps.items() if log.reused_from and log.writes}

    def reasons(self, *, is_over: bool) -> Iterator[str]:
        """Why wanted steps have no lines; for all steps together if no step is named."""
        named = self._wanted.steps
        if named:
            yield from filter(None, (self._reason(name, is_over=is_over) for name in named))
        elif all(log.is_empty for log in self._steps.values()):
            fitting = " that fits the options" if self._wanted.is_narrow else ""
            yield f"no step wrote a line{fitting}" if is_over else f"no step has written a line{fitting} yet"

    def _reason(self, name: str, *, is_over: bool) -> str:
        inner = [log for other, log in self._steps.items() if self._parents.get(other) == name]
        if any(not log.is_empty for log in inner):
            return ""
        log = self._steps.get(name)
        kind = self._types.get(name, "")
        if log is None:
            return f"{name} did not run" if is_over else f"{name} has not started"
        if not log.is_empty or (log.reused_from and log.writes):
            return ""
        places = log.places()
        if places:
            fitting = " that fits the options" if self._wanted.is_narrow else ""
            return f"{name} wrote nothing{fitting} to {', '.join(places)}"
        if kind in _WITHOUT_LOG:
            return f"{name} is a {kind} step, which writes no log"
        reason = log.step.get("FailureReason", "")
        return f"{name} started no job with a log{f': {reason}' if reason else ''}"

    def _is_wanted(self, name: str) -> bool:
        return not self._wanted.steps or name in self._wanted.steps or self._parents.get(name) in self._wanted.steps

    def _listed(self) -> Mapping[str, Any]:
        steps = self._account.each(
            "sagemaker",
            "list_pipeline_execution_steps",
            "PipelineExecutionSteps",
            PipelineExecutionArn=self._arn,
            SortOrder="Ascending",
        )
        return {step["StepName"]: step for step in steps}

    def _check_steps(self) -> None:
        has_iterations = not self._types or "ForEach" in self._types.values()
        names = dict.fromkeys((*self._types, *(self._listed() if has_iterations and self._wanted.steps else ())))
        mistakes = [
            Mistake(f"{name} is not a step of execution {self._arn.rpartition('/')[2]}", suggest(name, names))
            for name in self._wanted.steps
            if name not in names
        ]
        if mistakes:
            raise InvalidInputError(mistakes)
