"""`pedigree executions`, `pedigree stop`, `pedigree retry`: the executions that there are, and what is done to one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pedigree.cli import changes, printing
from pedigree.cli.account import reach
from pedigree.cli.following import EVERY, MINUTES, EveryOption, Following, MinutesOption, follow
from pedigree.cli.options import AccountOption, DryRunOption, JsonOption, ProfileOption, RegionOption, SettingsOption
from pedigree.cli.status import ExecutionArgument

HEADER = ("EXECUTION", "STATE", "STARTED", "TOOK", "BY", "NAME")
WaitOption = Annotated[bool, typer.Option("--wait", help="Follow it until it ends.")]


def listing(
    count: Annotated[int, typer.Option("--count", min=1, max=100, help="How many, the newest first.")] = 10,
    as_json: JsonOption = False,
    settings: SettingsOption = "",
    account: AccountOption = None,
    region: RegionOption = None,
    profile: ProfileOption = "",
) -> None:
    """List the last executions: how each ended, how long it took, who started it."""
    place = reach(settings, account, region, profile)
    from pedigree.account.executions import newest
    from pedigree.account.times import between, on_the_wall

    found = newest(place.account, place.settings.pipeline.name, count)
    if as_json:
        printing.document([{"id": one.id, **asdict(one)} for one in found])
        return
    if not found:
        printing.line("There are no executions yet; make pipeline-start starts one.")
        return
    now = place.account.clock.now()
    rows = (
        (one.id, one.status, on_the_wall(one.started), between(one.started, one.ended or now), one.by, one.name)
        for one in found
    )
    printing.columns(HEADER, rows)


def stop(
    execution: ExecutionArgument = "",
    wait: WaitOption = False,
    dry_run: DryRunOption = False,
    every: EveryOption = EVERY,
    minutes: MinutesOption = MINUTES,
    settings: SettingsOption = "",
    account: AccountOption = None,
    region: RegionOption = None,
    profile: ProfileOption = "",
) -> None:
    """Stop an execution; pedigree retry goes on with it."""
    place = reach(settings, account, region, profile)
    from pedigree.account import executions
    from pedigree.account.perform import carry_out
    from pedigree.account.watching import insist

    chosen = executions.choose(place.account, place.settings.pipeline.name, execution)
    change = executions.stop(chosen)
    if change is None:
        printing.line(f"execution {chosen.id} is {chosen.status} already")
    elif not changes.only_shown(change, dry_run=dry_run):
        insist(lambda: carry_out(change, place.account), place.account.clock, printing.remark)
        printing.line(f"stopping execution {chosen.id}; pedigree retry {chosen.id} goes on with it afterwards")
    if wait and not dry_run:
        follow(place, chosen.arn, Following(every, minutes, wanted=executions.ENDED))


def retry(
    execution: ExecutionArgument = "",
    wait: WaitOption = False,
    dry_run: DryRunOption = False,
    every: EveryOption = EVERY,
    minutes: MinutesOption = MINUTES,
    settings: SettingsOption = "",
    account: AccountOption = None,
    region: RegionOption = None,
    profile: ProfileOption = "",
) -> None:
    """Go on with an execution that failed or was stopped; what it has done already is kept."""
    place = reach(settings, account, region, profile)
    from pedigree.account import executions
    from pedigree.account.perform import carry_out
    from pedigree.account.watching import insist

    chosen = executions.choose(place.account, place.settings.pipeline.name, execution)
    change = executions.retry(chosen)
    if changes.only_shown(change, dry_run=dry_run):
        return
    insist(lambda: carry_out(change, place.account), place.account.clock, printing.remark)
    printing.line(f"execution {chosen.id} goes on")
    if wait:
        follow(place, chosen.arn, Following(every, minutes))
    else:
        printing.line(f"follow it: pedigree status {chosen.id}")
