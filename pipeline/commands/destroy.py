"""`pedigree destroy`: removes what upsert and executions made; data only with --data."""

from __future__ import annotations

from typing import Annotated

import typer

from pedigree.cli import options
from pedigree.cli.options import AccountOptions, DryRunOption, YesOption, expand_options
from pedigree.language.text import printable
from pipeline.commands.context import connect_project


@expand_options
def command(
    target: AccountOptions,
    data: Annotated[bool, typer.Option("--data", help="Also the bucket's content and the registered models.")] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Remove all that upsert and executions made."""
    context = connect_project(target, announced=True)
    from pedigree.account import show
    from pedigree.account.apply import apply_plan
    from pedigree.account.plan import plan
    from pedigree.cli.progress import progress
    from pipeline.account.destroy import DataRemoval, resources

    unwanted = resources(context.settings, data=data)
    with progress() as progress_line:
        progress_line.reading()
        planned = plan(unwanted, context.account)
    for line in show.lines(planned, show.NOTHING_LEFT):
        typer.echo(printable(line))
    for change in [] if data else DataRemoval(context.settings).there(context.account):
        typer.echo(printable(f"Kept, because --data is not given: {change.kind} {change.name}"))
    if dry_run or not planned or not options.confirmed("Remove it?", yes=yes):
        return
    with progress() as progress_line:
        apply_plan(unwanted, context.account, planned, progress_line.change, progress_line.waiting)
    typer.echo(show.done(planned))
