"""Follows an execution until it ends: what --wait does, and `pedigree status`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from pedigree.cli import execution_view, hints, printing
from pedigree.cli.account import AccountContext
from pedigree.cli.options import FollowOptions

if TYPE_CHECKING:
    from pedigree.account.progress import ExecutionProgress

FAILED_EXIT = 1
INTERRUPTED_EXIT = 130
WaitOption = Annotated[bool, typer.Option("--wait", help="Follow it until it ends.")]


class Display(Protocol):
    """What shows an execution while it is followed."""

    def show(self, view: ExecutionProgress) -> None:
        """Shows how far it is."""

    def report(self, text: str) -> None:
        """Shows why there is no answer."""


@dataclass(frozen=True)
class ExpectedEnd:
    """How an execution is expected to end, and whether its end is printed as JSON."""

    statuses: tuple[str, ...] = ("Succeeded",)
    as_json: bool = False


def follow(context: AccountContext, arn: str, timing: FollowOptions, expected: ExpectedEnd = ExpectedEnd()) -> None:
    """Shows an execution until it ends; the exit code says whether it ended as expected."""
    end(context, followed(context, arn, timing, quiet=expected.as_json), expected)


def followed(context: AccountContext, arn: str, timing: FollowOptions, *, quiet: bool = False) -> ExecutionProgress:
    """Shows an execution until it ends, and returns its end; Ctrl-C ends the command, and not the execution."""
    from pedigree.account.progress import progress_reader

    identifier = arn.rpartition("/")[2]
    again = f"{context.hint(f'status {identifier}')} follows it again"
    try:
        read = progress_reader(context.account, context.pipeline, arn)
        view = until_over(context, read, timing, quiet=quiet)
    except KeyboardInterrupt:
        printing.remark(f"execution {identifier} goes on; {again}, {context.hint(f'stop {identifier}')} stops it")
        raise typer.Exit(INTERRUPTED_EXIT) from None
    if view is None:
        from pedigree.account.errors import UnfinishedError

        raise UnfinishedError(f"execution {identifier} goes on after {timing.minutes} minutes", again)
    return view


def end(context: AccountContext, view: ExecutionProgress, expected: ExpectedEnd = ExpectedEnd()) -> None:
    """Prints the state of an execution; exit code 1 if it ended in another way than expected."""
    console = context.account.console
    if expected.as_json:
        printing.document(execution_view.as_document(view, console))
    else:
        outcome = execution_view.outcome(view, context.account.clock.now())
        for line in (*execution_view.failures(view, console), *outcome):
            printing.line(line)
    if view.execution.is_over and view.execution.status not in expected.statuses:
        raise typer.Exit(FAILED_EXIT)


def until_over(
    context: AccountContext, read: Callable[[], ExecutionProgress], timing: FollowOptions, *, quiet: bool = False
) -> ExecutionProgress | None:
    """Shows an execution until it ends; None if it takes longer than the time limit."""
    from pedigree.account.polling import PollOptions, poll

    with _display(context, quiet=quiet) as display:
        options = PollOptions(context.account.clock, timing.every, timing.minutes * 60, display.report)
        for view in poll(read, options):
            display.show(view)
            if view.execution.is_over:
                return view
    return None


@contextmanager
def _display(context: AccountContext, *, quiet: bool) -> Iterator[Display]:
    """A table in place on a terminal, else a line for each change."""
    if not quiet and sys.stdout.isatty():
        from pedigree.cli.live_table import live_table  # rich takes a while to import

        with live_table(context.account) as table:
            yield table
    else:
        yield _Lines(context, err=quiet)


class _Lines:
    """A line for each change."""

    def __init__(self, context: AccountContext, *, err: bool) -> None:
        self._context, self._err = context, err
        self._statuses: dict[str, str] = {}
        self._reported = ""

    def show(self, view: ExecutionProgress) -> None:
        self._reported, now, statuses = "", self._context.account.clock.now(), self._statuses
        if not statuses:
            printing.line(execution_view.headline(view.execution, now), err=self._err)
            printing.lines(view.link, err=self._err)
        for step in view.steps:
            if statuses.get(step.name, "Waiting") != step.status:
                printing.line(execution_view.change(step, self._context.account.console, now), err=self._err)
            statuses[step.name] = step.status

    def report(self, text: str) -> None:
        """Prints why there is no answer, once until there is one."""
        if text != self._reported:
            self._reported = text
            printing.remark(hints.spelled(text))
