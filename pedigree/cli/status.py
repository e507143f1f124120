"""`pedigree status`: every step of an execution, as it happens, and why it failed where it did."""

from __future__ import annotations

from typing import Annotated

import typer

from pedigree.cli import execution_view, printing
from pedigree.cli.account import reach
from pedigree.cli.following import EVERY, MINUTES, EveryOption, Following, MinutesOption, end, follow
from pedigree.cli.options import AccountOption, JsonOption, ProfileOption, RegionOption, SettingsOption

ExecutionArgument = Annotated[
    str, typer.Argument(metavar="EXECUTION", help="The beginning of its id, or its ARN; the newest without it.")
]


def command(
    execution: ExecutionArgument = "",
    once: Annotated[bool, typer.Option("--once", help="Show how it is now, and do not wait for its end.")] = False,
    as_json: JsonOption = False,
    every: EveryOption = EVERY,
    minutes: MinutesOption = MINUTES,
    settings: SettingsOption = "",
    account: AccountOption = None,
    region: RegionOption = None,
    profile: ProfileOption = "",
) -> None:
    """Follow an execution until it ends; Ctrl-C leaves it running. The exit code is 1 where it has not succeeded."""
    place = reach(settings, account, region, profile)
    from pedigree.account import executions, progress

    pipeline = place.settings.pipeline.name
    chosen = executions.choose(place.account, pipeline, execution)
    how = Following(every, minutes, as_json)
    if not once:
        follow(place, chosen.arn, how)
        return
    view = progress.viewer(place.account, pipeline, chosen.arn)()
    if not as_json:
        now = place.account.clock.now()
        printing.lines(view.link)
        printing.columns(execution_view.HEADER, (execution_view.row(step, now) for step in view.steps))
    end(place, view, how)
