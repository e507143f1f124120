"""`pedigree definition`: the JSON that AWS gets, on standard output and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import files, options

if TYPE_CHECKING:
    from pipeline.settings.tree import Settings


def command(
    settings: options.SettingsOption = "",
    account: options.AccountOption = None,
    region: options.RegionOption = None,
    output: Annotated[Path | None, typer.Option(help="A file to write to; standard output without it.")] = None,
) -> None:
    """Print the pipeline's definition as JSON. Needs no network and no account."""
    files.check(output)
    files.write(text(settings, account, region), output)


def text(names: str, account: str | None, region: str | None) -> str:
    """The definition of these settings files, the environment, and an account and region on top."""
    return rendered(options.load(names, account, region))


def rendered(settings: Settings) -> str:
    """The definition of settings."""
    from pipeline import source
    from pipeline.document import render

    return render(settings, source.read())
