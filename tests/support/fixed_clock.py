"""An account at a fixed moment, for tests in which the time matters."""

from __future__ import annotations

import datetime as dt

from pedigree.account.account import Account
from tests.support.accounts import CALLER, InstantClock, RecordedClients
from tests.support.fakes.aws import ACCOUNT, REGION

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.timezone.utc)


class FixedClock(InstantClock):
    """A clock that stands still, except while something sleeps."""

    def now(self) -> dt.datetime:
        return NOW + dt.timedelta(seconds=self.seconds)


def account(watched: RecordedClients | None = None) -> Account:
    """The account at that moment."""
    return Account(ACCOUNT, REGION, watched or RecordedClients(), CALLER, FixedClock())
