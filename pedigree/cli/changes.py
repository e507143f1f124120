"""Before something is changed: what it is, on the screen, and whether it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pedigree.cli import options, printing

if TYPE_CHECKING:
    from pedigree.account.plan import Change, Plan


def only_shown(change: Change, *, dry_run: bool) -> bool:
    """Show one change where nothing is to be changed; whether that was all."""
    from pedigree.account.plan import Plan

    if dry_run:
        _show(Plan((change,)))
    return dry_run


def agreed(plan: Plan, *, yes: bool, dry_run: bool) -> bool:
    """Show a plan, and ask, unless the answer is known; whether it is to be carried out."""
    _show(plan)
    if dry_run or not plan:
        return False
    return options.agreed("Do it?", yes=yes)


def _show(plan: Plan) -> None:
    from pedigree.account import show

    for text in show.lines(plan):
        printing.line(text)
