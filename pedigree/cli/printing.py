"""How commands print results: columns for people, JSON for programs, control characters escaped."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any

import typer

from pedigree.cli import hints
from pedigree.language.text import printable


def line(text: str = "", *, err: bool = False) -> None:
    """Prints one line, with control characters escaped."""
    typer.echo(printable(text.expandtabs()), err=err)


def lines(*texts: str, err: bool = False) -> None:
    """Prints a line for each text that is not empty."""
    for text in filter(None, texts):
        line(text, err=err)


def remark(text: str) -> None:
    """Prints a line that is not a result, on standard error."""
    line(text, err=True)


def hint(text: str) -> None:
    """Prints a line whose commands can be pasted."""
    line(hints.spelled(text))


def commands(texts: Iterable[str]) -> None:
    """Prints commands for a shell, as they are."""
    for text in texts:
        typer.echo(text)


def document(value: Any) -> None:
    """Prints a value as JSON; times in UTC."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def columns(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints rows below a header; a column is as wide as its longest cell, and the last one as long as it gets."""
    lines = [tuple(header), *(tuple(printable(cell) for cell in row) for row in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    widths[-1] = 0
    for cells in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())


def _plain(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.timezone.utc).isoformat(timespec="seconds")
    raise TypeError(f"{type(value).__name__} has no form in JSON")
