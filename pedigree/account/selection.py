"""Plans a selective execution: some steps run, and the results of the others come from an earlier execution.

What StartPipelineExecution would refuse is found before: steps that do not exist, gaps between selected steps, and an
earlier execution that lacks what the selected steps need.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pedigree.account.account import Account
from pedigree.account.errors import InvalidInputError
from pedigree.account.executions import SUCCEEDED, Execution, choose, listed
from pedigree.errors import Mistake
from pedigree.language.definition import Definition
from pedigree.language.graph import edges, upstream
from pedigree.language.near import suggest

MOST_STEPS = 50
_SOURCE_STATUSES = (SUCCEEDED, "Failed")
_MOST_SOURCES = 50


@dataclass(frozen=True)
class StepSelection:
    """The steps to run, and the execution that has the results of those before them."""

    steps: tuple[str, ...]
    source: Execution | None
    needed: tuple[str, ...]

    def config(self) -> dict[str, Any]:
        """The SelectiveExecutionConfig."""
        source = {"SourcePipelineExecutionArn": self.source.arn} if self.source else {}
        return {"SelectedSteps": [{"StepName": name} for name in self.steps], **source}

    def why(self) -> Iterator[str]:
        """What runs, and what it continues."""
        yield f"only {', '.join(self.steps)}"
        if self.source:
            results = f"with the results of {', '.join(self.needed)} " if self.needed else ""
            yield f"{results}from execution {self.source.id}"


def select(account: Account, pipeline: str, definition: Definition, steps: Iterable[str], source: str) -> StepSelection:
    """The selection of some steps; raises InvalidInputError with every mistake in it.

    source: an execution's ARN or the start of its id; empty for the newest that has what the steps need.
    """
    selected = tuple(dict.fromkeys(steps))
    mistakes = list(_mistakes(selected, definition))
    if mistakes:
        raise InvalidInputError(mistakes)
    needed = needed_steps(selected, definition)
    if source:
        return StepSelection(selected, _chosen(account, choose(account, pipeline, source), needed), needed)
    return StepSelection(selected, _newest(account, pipeline, selected, needed) if needed else None, needed)


def needed_steps(selected: Iterable[str], definition: Definition) -> tuple[str, ...]:
    """The steps whose results the selected ones use, in the order of the definition."""
    chosen = set(selected)
    used = {edge.source for edge in edges(definition) if edge.reason == "data" and edge.target in chosen}
    return tuple(step.name for step in definition.all_steps() if step.name in used - chosen)


def _mistakes(selected: tuple[str, ...], definition: Definition) -> Iterator[Mistake]:
    names = definition.by_name()
    unknown = [name for name in selected if name not in names]
    for name in unknown:
        yield Mistake(f"{name} is not a step of the pipeline", suggest(name, names))
    if len(selected) > MOST_STEPS:
        yield Mistake(f"{len(selected)} steps are selected, and an execution takes {MOST_STEPS}", "select fewer")
    if not unknown:
        yield from _gaps(selected, definition)


def _gaps(selected: tuple[str, ...], definition: Definition) -> Iterator[Mistake]:
    """AWS wants every step on every path between two selected steps."""
    before, chosen = upstream(definition), set(selected)
    between = [
        step.name
        for step in definition.all_steps()
        if step.name not in chosen
        and before[step.name] & chosen
        and any(step.name in before[later] for later in selected)
    ]
    if between:
        verb = "lies" if len(between) == 1 else "lie"
        yield Mistake(f"{', '.join(between)} {verb} between the selected steps", f"add --only {','.join(between)}")


def _chosen(account: Account, source: Execution, needed: tuple[str, ...]) -> Execution:
    """The execution that was named, if it has what is needed."""
    if source.status not in _SOURCE_STATUSES:
        cause = f"execution {source.id} is {source.status}, and only one that succeeded or failed can be continued"
        raise InvalidInputError([Mistake(cause, "name another with --from")])
    statuses = _statuses(account, source)
    lacking = [name for name in needed if statuses.get(name) != SUCCEEDED]
    if lacking:
        raise InvalidInputError([_lack(source, name, statuses) for name in lacking])
    return source


def _lack(source: Execution, name: str, statuses: Mapping[str, str]) -> Mistake:
    outcome = f"{name} is {statuses[name]}" if name in statuses else f"{name} did not run"
    cause = f"in execution {source.id}, {outcome}, and a selected step uses its result"
    return Mistake(cause, f"name another with --from, or add --only {name}")


def _newest(account: Account, pipeline: str, selected: tuple[str, ...], needed: tuple[str, ...]) -> Execution:
    """The newest execution in which all needed steps succeeded."""
    ended = (execution for execution in listed(account, pipeline) if execution.status in _SOURCE_STATUSES)
    for execution in islice(ended, _MOST_SOURCES):
        statuses = _statuses(account, execution)
        if all(statuses.get(name) == SUCCEEDED for name in needed):
            return execution
    verb = "needs" if len(selected) == 1 else "need"
    cause = f"{', '.join(selected)} {verb} the results of {', '.join(needed)}, and no execution has all of them"
    raise InvalidInputError([Mistake(cause, f"add --only {','.join(needed)}, or start the whole pipeline")])


def _statuses(account: Account, execution: Execution) -> dict[str, str]:
    steps = account.each(
        "sagemaker", "list_pipeline_execution_steps", "PipelineExecutionSteps", PipelineExecutionArn=execution.arn
    )
    return {step["StepName"]: step["StepStatus"] for step in steps}
