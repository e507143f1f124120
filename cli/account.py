"""Where a command that looks at an account, or asks it for one thing, begins: settings, and the account itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli import options

if TYPE_CHECKING:
    from operations.account import Account
    from pipeline.settings import Settings


@dataclass(frozen=True)
class Place:
    """What a command acts on: settings that name their account, and the way to it."""

    settings: Settings
    account: Account


def reach(settings: str, account: str | None, region: str | None, profile: str) -> Place:
    """The settings of these files and options, and the account that the credentials are for."""
    asked = options.load(settings, account, region)
    from operations.connect import connect, placed

    reached = connect(asked.site, profile)
    return Place(placed(asked, reached), reached)
