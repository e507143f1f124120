"""Where a command that acts on an account begins: settings, credentials, and the account that the two agree on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.options import overrides, refuse_empty

if TYPE_CHECKING:
    from operations.account import Account
    from pipeline.settings import Settings


@dataclass(frozen=True)
class Place:
    """What a command acts on: settings that name their account, and the way to it."""

    settings: Settings
    account: Account


def reach(settings: str, account: str | None, region: str | None, profile: str | None) -> Place:
    """The settings of these files and options, and the account that the credentials are for."""
    refuse_empty("--profile", profile)
    given = overrides(account, region)
    from pipeline.loading import load

    asked = load(settings, os.environ, given)
    from operations.connect import connect, placed

    reached = connect(asked.site, profile or "")
    return Place(placed(asked, reached), reached)
