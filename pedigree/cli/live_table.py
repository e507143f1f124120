"""The table of an execution on a terminal: it stays in place, and below it stands why there is no answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from pedigree.account.account import Account
from pedigree.account.progress import ExecutionProgress
from pedigree.cli import execution_view, hints
from pedigree.language.text import printable


class LiveTable:
    """The last view of an execution, drawn again and again."""

    def __init__(self, account: Account, console: Console) -> None:
        self._account = account
        self._view: ExecutionProgress | None = None
        self._reported = ""
        self.live = Live(console=console, get_renderable=self.rendered, refresh_per_second=2)

    def show(self, view: ExecutionProgress) -> None:
        self._view, self._reported = view, ""
        self.live.refresh()

    def report(self, text: str) -> None:
        """Shows why there is no answer, until there is one."""
        self._reported = hints.spelled(text)
        self.live.refresh()

    def rendered(self) -> RenderableType:
        if self._view is None:
            return Text(printable(self._reported) or "asking …")
        table = execution_view.table(self._view, self._account.console, self._account.clock.now())
        return Group(table, Text(printable(self._reported), "yellow")) if self._reported else table


@contextmanager
def live_table(account: Account) -> Iterator[LiveTable]:
    """The table while the block runs."""
    table = LiveTable(account, Console())
    with table.live:
        yield table
