"""`pedigree schedule`: shows, makes, pauses, resumes and removes the schedule of executions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pedigree.cli import options, printing
from pedigree.cli.options import AccountOptions, DryRunOption, JsonOption, YesOption, expand_options
from pipeline.commands.context import ProjectContext, connect_project

if TYPE_CHECKING:
    from pedigree.account.plan import ManagedResource
    from pipeline.account.schedule import State

app = typer.Typer(help="Executions that start on a schedule.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
@expand_options
def show(
    target: AccountOptions,
    as_json: JsonOption = False,
) -> None:
    """Show the schedule and its next times."""
    context = connect_project(target, announced=True)
    from pipeline.account.schedule_status import lines, status

    schedule_status = status(context.account, context.settings)
    if as_json:
        printing.document(schedule_status.document())
        return
    for text in lines(schedule_status):
        printing.hint(text)


@app.command()
@expand_options
def make(
    target: AccountOptions,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Make or update the schedule of the settings."""
    context = connect_project(target, announced=True)
    from pedigree.account.show import NOTHING
    from pipeline.account.schedule import managed_schedule
    from pipeline.account.schedule_target import check

    check(context.account, context.settings)
    if _apply(context, managed_schedule(context.settings), NOTHING, yes=yes, dry_run=dry_run):
        _tell(context)


@app.command()
@expand_options
def pause(
    target: AccountOptions,
    dry_run: DryRunOption = False,
) -> None:
    """Pause the schedule."""
    _switch(connect_project(target, announced=True), "DISABLED", dry_run=dry_run)


@app.command()
@expand_options
def resume(
    target: AccountOptions,
    dry_run: DryRunOption = False,
) -> None:
    """Resume a paused schedule."""
    context = connect_project(target, announced=True)
    if _switch(context, "ENABLED", dry_run=dry_run):
        _tell(context)


@app.command()
@expand_options
def remove(
    target: AccountOptions,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Remove the schedule, and its dead-letter queue if empty."""
    context = connect_project(target, announced=True)
    from pedigree.account.show import NOTHING_LEFT
    from pipeline.account.schedule import Removal, dead_letters

    letters = dead_letters(context.account, context.settings)
    if letters is not None and letters.count:
        printing.remark(f"queue {letters.name} stays: {letters.count} failed starts lie in it")
    _apply(context, Removal(context.settings), NOTHING_LEFT, yes=yes, dry_run=dry_run)


def _switch(context: ProjectContext, state: State, *, dry_run: bool) -> bool:
    from pipeline.account.schedule import Switch, existing

    existing(context.account, context.settings)
    return _apply(context, Switch(context.settings, state), "It is so already.", yes=True, dry_run=dry_run)


def _apply(context: ProjectContext, resource: ManagedResource, nothing: str, *, yes: bool, dry_run: bool) -> bool:
    """Plans, shows, asks and applies; returns whether something was changed."""
    from pedigree.account import show
    from pedigree.account.apply import apply_plan
    from pedigree.account.plan import plan
    from pedigree.cli.progress import progress

    planned = plan([resource], context.account)
    for text in show.lines(planned, nothing):
        printing.line(text)
    if dry_run or not planned or not options.confirmed("Do it?", yes=yes):
        return False
    with progress() as progress_line:
        apply_plan([resource], context.account, planned, progress_line.change, progress_line.waiting)
    printing.line(show.done(planned))
    return True


def _tell(context: ProjectContext) -> None:
    """Prints the schedule."""
    from pipeline.account.schedule_status import lines, status

    for text in lines(status(context.account, context.settings)):
        printing.hint(text)
