"""Connects this project's verbs to the account that its settings are for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pedigree.cli import printing
from pedigree.cli.account import AccountContext
from pipeline.commands import settings_files
from pipeline.commands.project import load_settings

if TYPE_CHECKING:
    from pedigree.account.account import Account
    from pedigree.cli.options import AccountOptions
    from pipeline.settings.tree import Settings


@dataclass(frozen=True)
class ProjectContext(AccountContext):
    """An account, and the settings with that account's id in them."""

    settings: Settings


def connect_project(options: AccountOptions, *, announced: bool = False) -> ProjectContext:
    """The settings of the options, and the account that the credentials are for."""
    settings = load_settings(options)
    from pedigree.account.connect import connect  # boto3 takes a while to import

    account = connect(settings.site.account, settings.site.region, options.profile)
    context = ProjectContext(account, settings.pipeline.name, with_account(settings, account))
    if announced:
        context.announce()
        printing.remark(
            f"Settings: {settings_files.sources(settings_files.find(options.settings, os.environ), os.environ)}"
        )
    return context


def with_account(settings: Settings, account: Account) -> Settings:
    """The settings with the account's id in them, whether they named it or not."""
    site = settings.site.model_copy(update={"account": account.id})
    return settings.model_copy(update={"site": site})
