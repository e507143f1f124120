"""How commands print what they found: columns for people, JSON for programs; nothing that a terminal would act on."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any

import typer

from pedigree.cli.errors import printable


def line(text: str = "", *, err: bool = False) -> None:
    """One line, whatever stood in what AWS answered."""
    typer.echo(printable(text.expandtabs()), err=err)


def lines(*texts: str, err: bool = False) -> None:
    """A line for each text that there is."""
    for text in filter(None, texts):
        line(text, err=err)


def remark(text: str) -> None:
    """One line that is no result: it goes to standard error."""
    line(text, err=True)


def document(value: Any) -> None:
    """A value as JSON; times in UTC."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def columns(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Rows below a header, each column as wide as its longest entry; the last one may be of any length."""
    lines = [tuple(header), *(tuple(printable(cell) for cell in row) for row in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    widths[-1] = 0
    for cells in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())


def _plain(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.timezone.utc).isoformat(timespec="seconds")
    raise TypeError(f"{type(value).__name__} has no form in JSON")
