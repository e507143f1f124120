"""Connects a command to an account: the one of the project's settings, or the one that the options and boto3 name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pedigree.cli import extras, hints, printing, project
from pedigree.cli.errors import UsageError

if TYPE_CHECKING:
    from pedigree.account.account import Account
    from pedigree.cli.options import PipelineOptions


@dataclass(frozen=True)
class AccountContext:
    """An account, and the pipeline in it that a command works on."""

    account: Account
    pipeline: str
    is_named: bool = field(default=False, kw_only=True)
    """Whether --pipeline names the pipeline."""

    def hint(self, verb: str) -> str:
        """A command for the same pipeline, as the user types it."""
        return hints.spelled(f"`pedigree {verb}{f' --pipeline {self.pipeline}' if self.is_named else ''}`")

    def announce(self) -> None:
        """Says whose account it is, before something is changed."""
        account = self.account
        printing.remark(f"Account {account.id}, region {account.region}, as {account.caller}")


def connect_account(options: PipelineOptions) -> AccountContext:
    """The account of the credentials, with the pipeline that is named or the project's own."""
    extras.demand("account")
    from pedigree.account.connect import connect  # boto3 takes a while to import

    if options.pipeline:
        if options.settings:
            raise UsageError("--pipeline names a pipeline, and so does --settings", "leave one of them out")
        account = connect(options.account or "", options.region or "", options.profile)
        return AccountContext(account, options.pipeline, is_named=True)
    chosen = project.pipeline(options, UsageError("no pipeline is named", "name one with --pipeline"))
    return AccountContext(connect(chosen.account, chosen.region, options.profile), chosen.name)
