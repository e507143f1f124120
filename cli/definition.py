"""`pedigree definition`: the JSON that AWS gets, on standard output and nothing else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from cli import files
from cli.errors import UsageError

SettingsOption = Annotated[
    str, typer.Option("--settings", help="Settings files, the later on top of the earlier: a.toml:b.toml.")
]
AccountOption = Annotated[str | None, typer.Option("--account", help="The AWS account, 12 digits; overrides settings.")]
RegionOption = Annotated[str | None, typer.Option("--region", help="The AWS region; overrides settings.")]


def command(
    settings: SettingsOption = "",
    account: AccountOption = None,
    region: RegionOption = None,
    output: Annotated[Path | None, typer.Option(help="A file to write to; standard output without it.")] = None,
) -> None:
    """Print the pipeline's definition as JSON. Needs no network and no account."""
    files.check(output)
    files.write(text(settings, account, region), output)


def text(names: str, account: str | None, region: str | None) -> str:
    """The definition of these settings files, the environment, and an account and region on top."""
    for option, value in (("--account", account), ("--region", region)):
        if value == "":
            raise UsageError(f"{option} is empty; write a value, or leave it out")
    from pipeline.loading import load

    settings = load(names, os.environ, {"site.account": account, "site.region": region})
    from pipeline import source
    from pipeline.document import render

    return render(settings, source.read())
