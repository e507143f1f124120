"""Where a command that has to do with an account begins: settings, and the account itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pedigree.cli import options, printing

if TYPE_CHECKING:
    from pedigree.account.account import Account
    from pipeline.settings.tree import Settings


@dataclass(frozen=True)
class Place:
    """What a command acts on: settings that name their account, and the way to it."""

    settings: Settings
    account: Account

    def tell(self) -> None:
        """Whose account it is, and who is at work: what is worth a look before something is changed."""
        here = self.account
        printing.remark(f"Account {here.id}, region {here.region}, as {here.caller}")


def reach(settings: str, account: str | None, region: str | None, profile: str) -> Place:
    """The settings of these files and options, and the account that the credentials are for."""
    asked = options.load(settings, account, region)
    from pedigree.account.connect import connect, placed

    reached = connect(asked.site, profile)
    return Place(placed(asked, reached), reached)
