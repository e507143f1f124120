"""Shows the changes to an account before they are made, and asks whether to make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pedigree.cli import options, printing

if TYPE_CHECKING:
    from pedigree.account.plan import Change, Plan


def only_shown(*changes: Change, dry_run: bool) -> bool:
    """In a dry run, shows the changes; returns whether it is a dry run."""
    from pedigree.account.plan import Plan

    if dry_run:
        _show(Plan(changes))
    return dry_run


def confirmed(plan: Plan, *, yes: bool, dry_run: bool) -> bool:
    """Shows a plan and asks, unless --yes is given; returns whether to apply it."""
    _show(plan)
    if dry_run or not plan:
        return False
    return options.confirmed("Do it?", yes=yes)


def _show(plan: Plan) -> None:
    from pedigree.account import show

    for text in show.lines(plan):
        printing.line(text)
