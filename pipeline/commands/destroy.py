"""`pedigree destroy`: all that upsert and executions have made, out of the account again; data only if asked for."""

from __future__ import annotations

from typing import Annotated

import typer

from pedigree.cli import options
from pedigree.cli.account import reach
from pedigree.cli.errors import printable


def command(
    settings: options.SettingsOption = "",
    account: options.AccountOption = None,
    region: options.RegionOption = None,
    profile: options.ProfileOption = "",
    data: Annotated[bool, typer.Option("--data", help="Also the bucket's content and the registered models.")] = False,
    dry_run: options.DryRunOption = False,
    yes: options.YesOption = False,
) -> None:
    """Remove everything from the AWS account that upsert and executions have made; list it first."""
    place = reach(settings, account, region, profile)
    place.tell()
    from pedigree.account import show
    from pedigree.account.perform import fulfil
    from pedigree.account.plan import plan
    from pedigree.cli.progress import progress
    from pipeline.account.destroy import Data, parts

    unwanted = parts(place.settings, data=data)
    with progress() as shown:
        shown.looking()
        planned = plan(unwanted, place.account)
    for line in show.lines(planned, show.NOTHING_LEFT):
        typer.echo(printable(line))
    for kept in [] if data else Data(place.settings).there(place.account):
        typer.echo(printable(f"Kept, because --data is not given: {kept.kind} {kept.name}"))
    if dry_run or not planned or not options.agreed("Remove it?", yes=yes):
        return
    with progress() as shown:
        fulfil(unwanted, place.account, planned, shown.change, shown.waiting)
    typer.echo(show.done(planned))
