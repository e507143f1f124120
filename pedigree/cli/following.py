"""Follows an execution until it ends: what --wait does, and `pedigree status`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import execution_view, printing
from pedigree.cli.account import AccountContext
from pedigree.cli.options import FollowOptions

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pedigree.account.progress import ExecutionProgress

FAILED_EXIT = 1
INTERRUPTED_EXIT = 130
WaitOption = Annotated[bool, typer.Option("--wait", help="Follow it until it ends.")]
Show = Callable[["ExecutionProgress"], None]


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

    options = PollOptions(context.account.clock, timing.every, timing.minutes * 60, printing.remark)
    with _display(context, quiet=quiet) as show:
        for view in poll(read, options):
            show(view)
            if view.execution.is_over:
                return view
    return None


@contextmanager
def _display(context: AccountContext, *, quiet: bool) -> Iterator[Show]:
    """A table in place on a terminal, else a line for each change."""
    if not quiet and sys.stdout.isatty():
        with _live(context) as show:
            yield show
    else:
        yield _lines(context, err=quiet)


@contextmanager
def _live(context: AccountContext) -> Iterator[Show]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    views: list[ExecutionProgress] = []

    def current() -> RenderableType:
        if not views:
            return Text("asking …")
        return execution_view.table(views[-1], context.account.console, context.account.clock.now())

    with Live(console=Console(), get_renderable=current, refresh_per_second=2) as live:

        def show(view: ExecutionProgress) -> None:
            views.append(view)
            live.refresh()

        yield show


def _lines(context: AccountContext, *, err: bool) -> Show:
    statuses: dict[str, str] = {}

    def show(view: ExecutionProgress) -> None:
        now = context.account.clock.now()
        if not statuses:
            printing.line(execution_view.headline(view.execution, now), err=err)
            printing.lines(view.link, err=err)
        for step in view.steps:
            if statuses.get(step.name, "Waiting") != step.status:
                printing.line(execution_view.change(step, context.account.console, now), err=err)
            statuses[step.name] = step.status

    return show
