"""`pedigree upsert`: the pipeline and all that it needs, put into an account, or brought back to what settings say."""

from __future__ import annotations

import typer

from pedigree.cli import options, printing
from pedigree.cli.account import reach
from pipeline.commands import definition, kept_prices, soundness


def command(
    settings: options.SettingsOption = "",
    account: options.AccountOption = None,
    region: options.RegionOption = None,
    profile: options.ProfileOption = "",
    dry_run: options.DryRunOption = False,
    yes: options.YesOption = False,
) -> None:
    """Put the pipeline into an AWS account, or repair what differs there; what is as it should be is left alone."""
    place = reach(settings, account, region, profile)
    place.tell()
    soundness.demand(definition.rendered(place.settings), soundness.ignored(place.settings))
    from pedigree.account import show
    from pedigree.account.perform import fulfil
    from pedigree.account.plan import plan
    from pedigree.cli.progress import progress
    from pipeline import source
    from pipeline.account import cost, cost_lines, prices
    from pipeline.account.roles import documents
    from pipeline.account.upsert import parts

    wanted = parts(place.settings, source.read(), documents(place.settings))
    with progress() as shown:
        shown.looking()
        planned = plan(wanted, place.account)
    for line in show.lines(planned):
        printing.line(line)
    if planned:
        known = prices.of_the_package().below(kept_prices.read(place.settings.site.region))
        for line in cost_lines.lines(cost.estimate(place.settings, known)):
            printing.line(line)
    if dry_run or not planned or not options.agreed("Do it?", yes=yes):
        return
    with progress() as shown:
        fulfil(wanted, place.account, planned, shown.change, shown.waiting)
    typer.echo(show.done(planned))
