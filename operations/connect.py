"""From credentials to an Account: the one place where operations meet boto3's session and its configuration."""

from __future__ import annotations

from functools import cache

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from operations import refusals
from operations.account import Account
from operations.errors import UnreachableError
from steps.site import Site

# A call is tried again on throttling and server errors; none waits for ever.
_PATIENCE = Config(
    retries={"mode": "standard", "max_attempts": 6}, connect_timeout=10, read_timeout=60, user_agent_extra="pedigree"
)


def connect(site: Site) -> Account:
    """The account that the credentials of the environment are for, held against the one in settings."""
    try:
        session = boto3.Session(region_name=site.region)
    except BotoCoreError as error:
        raise refusals.told(error, "sts", "get_caller_identity", {}, "") from error

    @cache
    def client(service: str) -> object:
        return session.client(service, config=_PATIENCE)

    identity = Account(site.account, site.region, client).call("sts", "get_caller_identity")
    if site.account and site.account != identity["Account"]:
        raise UnreachableError(
            f"the AWS credentials are for account {identity['Account']} and settings name {site.account}; "
            "choose the right profile with AWS_PROFILE, or change site.account"
        )
    return Account(identity["Account"], site.region, client, identity["Arn"])
