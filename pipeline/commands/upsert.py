"""`pedigree upsert`: puts the pipeline and all that it needs into an account, or updates what differs there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from pedigree.cli import options, printing
from pedigree.cli.options import AccountOptions, DryRunOption, YesOption, expand_options
from pipeline.commands import kept_prices, soundness
from pipeline.commands.context import ProjectContext, connect_project
from pipeline.commands.project import DogBreeds

if TYPE_CHECKING:
    from pedigree.account.plan import ManagedResource, Plan


@expand_options
def command(
    target: AccountOptions,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Put the pipeline into an account, or update it there."""
    upsert = _planned(target)
    from pedigree.account import show

    for line in show.lines(upsert.plan):
        printing.line(line)
    if upsert.plan:
        _print_cost(upsert.context)
    if dry_run or not upsert.plan or not options.confirmed("Do it?", yes=yes):
        return
    _apply(upsert)


def apply_all(target: AccountOptions) -> ProjectContext:
    """Put the pipeline there without a question; each change is a line when it is made."""
    from pedigree.account import show

    upsert = _planned(target)
    if upsert.plan:
        _apply(upsert)
    else:
        printing.line(show.NOTHING)
    return upsert.context


@dataclass(frozen=True)
class _Upsert:
    """All that the account shall have, and the changes that bring it there."""

    context: ProjectContext
    wanted: Sequence[ManagedResource]
    plan: Plan


def _planned(target: AccountOptions) -> _Upsert:
    context = connect_project(target, announced=True)
    own = DogBreeds(context.settings)
    soundness.demand(own.definition(), own.ignored())
    from pedigree.account.plan import plan
    from pedigree.cli.progress import progress
    from pipeline import source
    from pipeline.account.roles import documents
    from pipeline.account.upsert import resources

    wanted = resources(context.settings, source.read(), documents(context.settings))
    with progress() as progress_line:
        progress_line.reading()
        return _Upsert(context, wanted, plan(wanted, context.account))


def _print_cost(context: ProjectContext) -> None:
    from pedigree.account import prices
    from pipeline.account import cost, cost_lines

    table = prices.of_the_package().below(kept_prices.read(context.settings.site.region))
    for line in cost_lines.lines(cost.estimate(context.settings, table)):
        printing.hint(line)


def _apply(upsert: _Upsert) -> None:
    from pedigree.account import show
    from pedigree.account.apply import apply_plan
    from pedigree.cli.progress import progress

    with progress() as progress_line:
        apply_plan(upsert.wanted, upsert.context.account, upsert.plan, progress_line.change, progress_line.waiting)
    typer.echo(show.done(upsert.plan))
