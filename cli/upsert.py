"""`pedigree upsert`: the pipeline and all that it needs, put into an account, or brought back to what settings say."""

from __future__ import annotations

import typer

from cli import definition, kept_prices, options, printing, soundness
from cli.account import reach


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
    from cli.progress import progress
    from operations import cost, cost_lines, prices, show
    from operations.perform import fulfil
    from operations.plan import plan
    from operations.roles import documents
    from operations.upsert import parts
    from pipeline import source

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
