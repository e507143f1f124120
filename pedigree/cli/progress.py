"""Shows how far the changes to an account are: a line for each change, and what is being waited for.

On a terminal, waiting is one line that stays in place; elsewhere it is a plain line now and then.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.status import Status

from pedigree.language.text import printable

if TYPE_CHECKING:
    from pedigree.account.plan import Change

_EVERY_SECONDS = 30.0


class Progress:
    """Writes changes and waiting to a terminal or a log."""

    def __init__(self, console: Console) -> None:
        self._status = Status("", console=console) if console.is_terminal else None
        self._last_wait: tuple[str, float] = ("", 0.0)

    def change(self, change: Change) -> None:
        from pedigree.account import show

        self.still()
        typer.echo(printable(show.line(change)))

    def waiting(self, what: str, seconds: float) -> None:
        if self._status:
            self._status.update(f"waiting for {what} ({seconds:.0f} s)")
            self._status.start()
            return
        before, then = self._last_wait
        if what != before or seconds - then >= _EVERY_SECONDS:
            self._last_wait = (what, seconds)
            typer.echo(f"    waiting for {what} ({seconds:.0f} s)", err=True)

    def reading(self) -> None:
        if self._status:
            self._status.update("reading the account")
            self._status.start()

    def still(self) -> None:
        """Ends the line of waiting."""
        if self._status:
            self._status.stop()


@contextmanager
def progress() -> Iterator[Progress]:
    """Progress on standard error; on Ctrl-C, says how to resume."""
    waiting_line = Progress(Console(file=sys.stderr))
    try:
        yield waiting_line
    except KeyboardInterrupt:
        typer.echo("\ninterrupted; run it again to go on from here", err=True)
        raise
    finally:
        waiting_line.still()
