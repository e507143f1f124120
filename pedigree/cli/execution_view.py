"""Writes an execution for people: a table that stays in place on a terminal, lines elsewhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pedigree.account.times import between, on_the_wall
from pedigree.language.text import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pedigree.account.executions import Execution
    from pedigree.account.progress import ExecutionProgress, StepStatus

HEADER = ("STEP", "STATE", "STARTED", "TOOK", "ABOUT")
_COLORS = {
    "Succeeded": "green",
    "Failed": "red",
    "CompletedWithFailures": "red",
    "Stopped": "yellow",
    "Stopping": "yellow",
    "Executing": "cyan",
    "Starting": "cyan",
}


def headline(execution: Execution, now: dt.datetime) -> str:
    """Id, name, status, duration, and who started it."""
    took = between(execution.started, execution.ended or now)
    name = f" {execution.name}" if execution.name else ""
    since = f", {took}" if took else ""
    return f"execution {execution.id}{name}: {execution.status}{since}{f', by {execution.by}' if execution.by else ''}"


def row(step: StepStatus, now: dt.datetime) -> tuple[str, ...]:
    """The cells of a step's row."""
    return step.name, step.status, on_the_wall(step.started), step.took(now), _about(step)


def change(step: StepStatus, region: str, now: dt.datetime) -> str:
    """One line for a step whose status has changed."""
    took = f" after {step.took(now)}" if step.ended else ""
    about = f": {_about(step)}" if _about(step) else ""
    link = f"  {step.job.link(region)}".rstrip() if step.job and not step.ended else ""
    return f"{now.astimezone():%H:%M:%S} {step.name} {step.status}{took}{about}{link}"


def failures(progress: ExecutionProgress, region: str) -> Iterator[str]:
    """For each failed step: the link to its job, or the reason where there is no console, and the end of its log."""
    for step in progress.steps:
        if step.name in progress.logs and step.job:
            tail = progress.logs[step.name]
            yield ""
            yield f"{step.name} failed: {step.job.link(region) or step.reason}".rstrip(": ")
            yield f"the end of {tail.log}:"
            yield from (f"  | {line}" for line in tail.lines)
            if tail.link:
                yield f"all of it: {tail.link}"


def outcome(progress: ExecutionProgress, now: dt.datetime) -> Iterator[str]:
    """How the execution ended, and why."""
    yield headline(progress.execution, now)
    if progress.execution.reason:
        yield progress.execution.reason


def as_document(progress: ExecutionProgress, region: str) -> dict[str, Any]:
    """The whole view, for programs."""
    steps = [{**asdict(step), "link": step.job.link(region) if step.job else ""} for step in progress.steps]
    execution = {"id": progress.execution.id, **asdict(progress.execution), "link": progress.link}
    return {
        "execution": execution,
        "steps": steps,
        "logs": {name: asdict(tail) for name, tail in progress.logs.items()},
    }


def table(progress: ExecutionProgress, region: str, now: dt.datetime) -> RenderableType:
    """The table for a terminal; a step's name is a link to its job."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    rows = Table(*(name.capitalize() for name in HEADER), box=SIMPLE_HEAD, pad_edge=False)
    for step in progress.steps:
        name, state, started, took, about = map(printable, row(step, now))
        link = f"link {step.job.link(region)}" if step.job and region else ""
        rows.add_row(Text(name, link), Text(state, _COLORS.get(state, "dim")), started[-8:], took, Text(about))
    page = Text(progress.link, f"link {progress.link}") if progress.link else Text()
    return Group(Text(printable(headline(progress.execution, now))), page, rows)


def _about(step: StepStatus) -> str:
    return "; ".join((*step.notes, *((step.reason,) if step.reason else ())))
