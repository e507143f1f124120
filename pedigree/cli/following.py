"""Follow an execution until it has ended: what --wait does, and `pedigree status`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import execution_view, printing
from pedigree.cli.account import Place

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pedigree.account.progress import View

FAILED_EXIT = 1
INTERRUPTED_EXIT = 130
EveryOption = Annotated[float, typer.Option("--every", min=0.1, max=600, help="Seconds between two looks.")]
MinutesOption = Annotated[
    int, typer.Option("--minutes", min=1, max=40_320, help="How long to follow at most; what is followed goes on.")
]
EVERY = 10.0
MINUTES = 24 * 60
Show = Callable[["View"], None]


@dataclass(frozen=True)
class Following:
    """How to follow: how often, how long, whether only the end is printed, as JSON; and which ends are as wanted."""

    every: float = EVERY
    minutes: int = MINUTES
    as_json: bool = False
    wanted: tuple[str, ...] = ("Succeeded",)


def follow(place: Place, arn: str, how: Following) -> None:
    """Show an execution until it has ended, and end with an exit code that tells its outcome."""
    from pedigree.account.progress import viewer

    identifier = arn.rpartition("/")[2]
    try:
        view = until_over(place, viewer(place.account, place.settings.pipeline.name, arn), how)
    except KeyboardInterrupt:
        printing.remark(
            f"execution {identifier} goes on; pedigree status {identifier} follows it again, "
            f"pedigree stop {identifier} stops it"
        )
        raise typer.Exit(INTERRUPTED_EXIT) from None
    if view is None:
        from pedigree.account.errors import UnfinishedError

        raise UnfinishedError(
            f"execution {identifier} goes on after {how.minutes} minutes",
            f"pedigree status {identifier} follows it again",
        )
    end(place, view, how)


def end(place: Place, view: View, how: Following) -> None:
    """Print how an execution is doing or has ended, and end with an exit code that tells it."""
    if how.as_json:
        printing.document(execution_view.as_document(view, place.account.console))
    else:
        for line in (*execution_view.failures(view, place.account.console), *_outcome(place, view)):
            printing.line(line)
    if view.execution.is_over and view.execution.status not in how.wanted:
        raise typer.Exit(FAILED_EXIT)


def _outcome(place: Place, view: View) -> Iterator[str]:
    return execution_view.outcome(view, place.account.clock.now())


def until_over(place: Place, look: Callable[[], View], how: Following) -> View | None:
    """Show an execution until it has ended; None if it goes on for longer than is waited."""
    from pedigree.account.watching import Watch, looks

    watch = Watch(place.account.clock, how.every, how.minutes * 60, printing.remark)
    with _shown(place, quiet=how.as_json) as show:
        for view in looks(look, watch):
            show(view)
            if view.execution.is_over:
                return view
    return None


@contextmanager
def _shown(place: Place, *, quiet: bool) -> Iterator[Show]:
    """Where views go: a table in place on a terminal, else a line for whatever has changed."""
    if not quiet and sys.stdout.isatty():
        with _live(place) as show:
            yield show
    else:
        yield _lines(place, err=quiet)


@contextmanager
def _live(place: Place) -> Iterator[Show]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    seen: list[View] = []

    def current() -> RenderableType:
        if not seen:
            return Text("asking …")
        return execution_view.table(seen[-1], place.account.console, place.account.clock.now())

    with Live(console=Console(), get_renderable=current, refresh_per_second=2) as live:

        def show(view: View) -> None:
            seen.append(view)
            live.refresh()

        yield show


def _lines(place: Place, *, err: bool) -> Show:
    known: dict[str, str] = {}

    def show(view: View) -> None:
        now = place.account.clock.now()
        if not known:
            printing.line(execution_view.headline(view.execution, now), err=err)
            printing.lines(view.link, err=err)
        for step in view.steps:
            if known.get(step.name, "Waiting") != step.status:
                printing.line(execution_view.change(step, place.account.console, now), err=err)
            known[step.name] = step.status

    return show
