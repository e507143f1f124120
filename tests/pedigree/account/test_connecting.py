"""From credentials to an account: the one that settings name, or none."""

from __future__ import annotations

import pytest

from pedigree.account.connect import connect, placed
from pedigree.account.errors import UnreachableError
from steps.site import Site
from tests.support.definitions import configure
from tests.support.fakes.aws import ACCOUNT

pytestmark = pytest.mark.usefixtures("empty_account")


def test_the_account_is_the_one_of_the_credentials() -> None:
    here = connect(Site(region="eu-west-1"))
    assert (here.id, here.region) == (ACCOUNT, "eu-west-1")
    assert placed(configure({}), here).site.uri() == f"s3://pedigree-{ACCOUNT}-us-east-1/pedigree"


def test_credentials_of_another_account_are_refused() -> None:
    with pytest.raises(UnreachableError, match=f"are for account {ACCOUNT} and settings name 000000000000; choose"):
        connect(Site(account="000000000000"))


def test_a_profile_that_is_not_there_is_told() -> None:
    with pytest.raises(UnreachableError, match=r"The config profile \(work\) could not be found"):
        connect(Site(), "work")
