"""Before something is changed: what it is, on the screen, and whether it is wanted."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from cli import printing
from cli.errors import UsageError

if TYPE_CHECKING:
    from operations.plan import Change, Plan


def only_shown(change: Change, *, dry_run: bool) -> bool:
    """Show one change where nothing is to be changed; whether that was all."""
    if dry_run:
        _show(change)
    return dry_run


def agreed(plan: Plan, *, yes: bool, dry_run: bool) -> bool:
    """Show a plan, and ask, unless the answer is known; whether it is to be carried out."""
    from operations import show

    for text in show.lines(plan):
        printing.line(text)
    if dry_run or not plan:
        return False
    if not yes and not sys.stdin.isatty():
        raise UsageError("nobody can be asked here; say --yes to do it, or --dry-run to look only")
    return yes or typer.confirm("Do it?")


def _show(change: Change) -> None:
    from operations import show
    from operations.plan import Plan

    for text in show.lines(Plan((change,))):
        printing.line(text)
