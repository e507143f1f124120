"""`pedigree start`: begin an execution, with values for its parameters."""

from __future__ import annotations

from typing import Annotated

import typer

from pedigree.cli import changes, printing
from pedigree.cli.account import reach
from pedigree.cli.following import EVERY, MINUTES, EveryOption, Following, MinutesOption, follow
from pedigree.cli.options import AccountOption, DryRunOption, ProfileOption, RegionOption, SettingsOption


def command(
    values: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE", help="Parameters that differ from their defaults.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="What lists and Studio call it; manual-<time> without it.")] = "",
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Follow it until it ends, as pedigree status does.")] = False,
    dry_run: DryRunOption = False,
    every: EveryOption = EVERY,
    minutes: MinutesOption = MINUTES,
    settings: SettingsOption = "",
    account: AccountOption = None,
    region: RegionOption = None,
    profile: ProfileOption = "",
) -> None:
    """Start an execution of the pipeline that is in the account."""
    place = reach(settings, account, region, profile)
    from pedigree.account import links
    from pedigree.account.perform import carry_out
    from pedigree.account.start import Wanted, start
    from pedigree.account.watching import insist

    pipeline = place.settings.pipeline.name
    change = start(place.account, pipeline, Wanted(tuple(values or ()), name, description))
    if changes.only_shown(change, dry_run=dry_run):
        return
    answers = insist(lambda: carry_out(change, place.account), place.account.clock, printing.remark)
    arn = answers["started"]["PipelineExecutionArn"]
    identifier = arn.rpartition("/")[2]
    printing.line(f"started execution {identifier} ({change.name})")
    printing.line(arn)
    printing.lines(links.execution(place.account, pipeline, identifier))
    if wait:
        follow(place, arn, Following(every, minutes))
    else:
        printing.line(f"follow it: pedigree status {identifier}   stop it: pedigree stop {identifier}")
