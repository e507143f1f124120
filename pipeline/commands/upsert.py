"""`pedigree upsert`: puts the pipeline and all that it needs into an account, or updates what differs there."""

from __future__ import annotations

import typer

from pedigree.cli import options, printing
from pedigree.cli.options import AccountOptions, DryRunOption, YesOption, expand_options
from pipeline.commands import kept_prices, soundness
from pipeline.commands.context import connect_project
from pipeline.commands.project import DogBreeds


@expand_options
def command(
    target: AccountOptions,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Put the pipeline into an account, or update it there."""
    context = connect_project(target, announced=True)
    own = DogBreeds(context.settings)
    soundness.demand(own.definition(), own.ignored())
    from pedigree.account import prices, show
    from pedigree.account.apply import apply_plan
    from pedigree.account.plan import plan
    from pedigree.cli.progress import progress
    from pipeline import source
    from pipeline.account import cost, cost_lines
    from pipeline.account.roles import documents
    from pipeline.account.upsert import resources

    wanted = resources(context.settings, source.read(), documents(context.settings))
    with progress() as progress_line:
        progress_line.reading()
        planned = plan(wanted, context.account)
    for line in show.lines(planned):
        printing.line(line)
    if planned:
        table = prices.of_the_package().below(kept_prices.read(context.settings.site.region))
        for line in cost_lines.lines(cost.estimate(context.settings, table)):
            printing.hint(line)
    if dry_run or not planned or not options.confirmed("Do it?", yes=yes):
        return
    with progress() as progress_line:
        apply_plan(wanted, context.account, planned, progress_line.change, progress_line.waiting)
    typer.echo(show.done(planned))
