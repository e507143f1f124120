"""From credentials to an account: the one that is named, or any."""

from __future__ import annotations

import pytest

from pedigree.account.connect import connect
from pedigree.account.errors import UnreachableError
from pipeline.commands.context import with_account
from tests.support.definitions import configure
from tests.support.fakes.aws import ACCOUNT

pytestmark = pytest.mark.usefixtures("empty_account")


def test_the_account_is_the_one_of_the_credentials() -> None:
    account = connect(region="eu-west-1")
    assert (account.id, account.region) == (ACCOUNT, "eu-west-1")
    assert with_account(configure({}), account).site.uri() == f"s3://pedigree-{ACCOUNT}-us-east-1/pedigree"


def test_credentials_of_another_account_are_refused() -> None:
    with pytest.raises(UnreachableError, match=f"are for account {ACCOUNT}, not for 000000000000"):
        connect("000000000000", "us-east-1")


def test_a_profile_that_does_not_exist_is_named() -> None:
    with pytest.raises(UnreachableError, match=r"The config profile \(work\) could not be found"):
        connect(profile="work")


def test_the_region_is_boto3s_own_unless_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    assert connect().region == "eu-north-1"
    assert connect(region="eu-west-1").region == "eu-west-1"


def test_no_region_at_all_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(UnreachableError, match="no AWS region is chosen; add --region"):
        connect()
