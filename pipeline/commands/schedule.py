"""`pedigree schedule`: executions that start by themselves; show, make, pause, resume and remove what starts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pedigree.cli import options, printing
from pedigree.cli.account import Place, reach

if TYPE_CHECKING:
    from pedigree.account.plan import Part
    from pipeline.account.schedule import State

app = typer.Typer(help="Executions that start by themselves.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def show(
    as_json: options.JsonOption = False,
    settings: options.SettingsOption = "",
    account: options.AccountOption = None,
    region: options.RegionOption = None,
    profile: options.ProfileOption = "",
) -> None:
    """Show the schedule that is in the account, when it fires next, and how it differs from settings."""
    place = _reach(settings, account, region, profile)
    from pipeline.account.schedule_status import lines, status

    found = status(place.account, place.settings)
    if as_json:
        printing.document(found.document())
        return
    for text in lines(found):
        printing.line(text)


@app.command()
def make(
    yes: options.YesOption = False,
    dry_run: options.DryRunOption = False,
    settings: options.SettingsOption = "",
    account: options.AccountOption = None,
    region: options.RegionOption = None,
    profile: options.ProfileOption = "",
) -> None:
    """Make the schedule that settings describe, or mend the one that is there; its next times are shown before."""
    place = _reach(settings, account, region, profile)
    from pedigree.account.show import NOTHING
    from pipeline.account.schedule import schedule_part
    from pipeline.account.schedule_target import check

    check(place.account, place.settings)
    if _bring_about(place, schedule_part(place.settings), NOTHING, yes=yes, dry_run=dry_run):
        _tell(place)


@app.command()
def pause(
    dry_run: options.DryRunOption = False,
    settings: options.SettingsOption = "",
    account: options.AccountOption = None,
    region: options.RegionOption = None,
    profile: options.ProfileOption = "",
) -> None:
    """Let the schedule rest, with everything about it kept."""
    _switch(_reach(settings, account, region, profile), "DISABLED", dry_run=dry_run)


@app.command()
def resume(
    dry_run: options.DryRunOption = False,
    settings: options.SettingsOption = "",
    account: options.AccountOption = None,
    region: options.RegionOption = None,
    profile: options.ProfileOption = "",
) -> None:
    """Let a schedule that was paused fire again."""
    place = _reach(settings, account, region, profile)
    if _switch(place, "ENABLED", dry_run=dry_run):
        _tell(place)


@app.command()
def remove(
    yes: options.YesOption = False,
    dry_run: options.DryRunOption = False,
    settings: options.SettingsOption = "",
    account: options.AccountOption = None,
    region: options.RegionOption = None,
    profile: options.ProfileOption = "",
) -> None:
    """Remove the schedule, and its queue of failed starts if that is empty."""
    place = _reach(settings, account, region, profile)
    from pedigree.account.show import NOTHING_LEFT
    from pipeline.account.schedule import Removal, dead_letters

    letters = dead_letters(place.account, place.settings)
    if letters is not None and letters.count:
        printing.remark(f"queue {letters.name} stays: {letters.count} failed starts lie in it")
    _bring_about(place, Removal(place.settings), NOTHING_LEFT, yes=yes, dry_run=dry_run)


def _reach(settings: str, account: str | None, region: str | None, profile: str) -> Place:
    place = reach(settings, account, region, profile)
    place.tell()
    return place


def _switch(place: Place, state: State, *, dry_run: bool) -> bool:
    from pipeline.account.schedule import Switch, existing

    existing(place.account, place.settings)
    return _bring_about(place, Switch(place.settings, state), "It is so already.", yes=True, dry_run=dry_run)


def _bring_about(place: Place, part: Part, nothing: str, *, yes: bool, dry_run: bool) -> bool:
    """Plan, show, ask and carry out; whether there was something to do, and it was done."""
    from pedigree.account import show as told
    from pedigree.account.perform import fulfil
    from pedigree.account.plan import plan
    from pedigree.cli.progress import progress

    planned = plan([part], place.account)
    for text in told.lines(planned, nothing):
        printing.line(text)
    if dry_run or not planned or not options.agreed("Do it?", yes=yes):
        return False
    with progress() as shown:
        fulfil([part], place.account, planned, shown.change, shown.waiting)
    printing.line(told.done(planned))
    return True


def _tell(place: Place) -> None:
    """The schedule as it is now."""
    from pipeline.account.schedule_status import lines, status

    for text in lines(status(place.account, place.settings)):
        printing.line(text)
