"""The options that many commands have, and what they become: settings, a word of consent."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli.errors import UsageError

if TYPE_CHECKING:
    from pipeline.settings.tree import Settings

SettingsOption = Annotated[
    str, typer.Option("--settings", help="Settings files, the later on top of the earlier: a.toml:b.toml.")
]
AccountOption = Annotated[str | None, typer.Option("--account", help="The AWS account, 12 digits; overrides settings.")]
RegionOption = Annotated[str | None, typer.Option("--region", help="The AWS region; overrides settings.")]
ProfileOption = Annotated[str, typer.Option("--profile", help="The AWS profile; AWS_PROFILE without it.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and change nothing.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs to read.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


def load(names: str, account: str | None, region: str | None) -> Settings:
    """The settings of these files, the environment, and an account and region on top."""
    for option, value in (("--account", account), ("--region", region)):
        if value == "":
            raise UsageError(f"{option} is empty", "write a value, or leave it out")
    from pipeline.settings.loading import load

    return load(names, os.environ, {"site.account": account, "site.region": region})


def agreed(question: str, *, yes: bool) -> bool:
    """Whether it shall be done; where nobody can be asked, --yes must have said so."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for consent", "add --yes to do it, or --dry-run to see it only")
    return typer.confirm(question)
