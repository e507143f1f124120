"""From credentials to an Account: the one place where operations meet boto3's session and its configuration."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from pedigree.account import refusals
from pedigree.account.account import Account
from pedigree.account.errors import UnreachableError
from pedigree.aws import regions
from pipeline.settings.tree import Settings
from steps.site import Site

# A call is tried again on throttling and server errors; none waits for ever.
_PATIENCE = Config(
    retries={"mode": "standard", "max_attempts": 6}, connect_timeout=10, read_timeout=60, user_agent_extra="pedigree"
)
# What an invoked function answers comes when it is done: a second invocation would not make it quicker.
_OF_SERVICES = {"lambda": _PATIENCE.merge(Config(read_timeout=910, tcp_keepalive=True))}

# The services that are in one region for all of a partition.
_HOMES = {"pricing": {"aws": "us-east-1", "aws-cn": "cn-northwest-1"}}


def connect(site: Site, profile: str = "") -> Account:
    """The account that the credentials are for, held against the one in settings."""
    try:
        session = boto3.Session(region_name=site.region, profile_name=profile or None)
    except BotoCoreError as error:
        raise refusals.explained(error, "sts", "get_caller_identity", {}, "") from error

    @cache
    def client(service: str) -> Any:
        home = _HOMES.get(service, {}).get(regions.partition(site.region), site.region)
        return session.client(service, region_name=home, config=_OF_SERVICES.get(service, _PATIENCE))

    identity = Account(site.account, site.region, client).call("sts", "get_caller_identity")
    if site.account and site.account != identity["Account"]:
        raise UnreachableError(
            f"the AWS credentials are for account {identity['Account']} and settings name {site.account}",
            "choose the right profile with --profile, or change site.account",
        )
    endpoint = str(client("sts").meta.endpoint_url)
    return Account(identity["Account"], site.region, client, identity["Arn"], has_console=not _is_here(endpoint))


def _is_here(endpoint: str) -> bool:
    """Whether calls stay on this machine."""
    return urlsplit(endpoint).hostname in ("127.0.0.1", "localhost", "::1")


def placed(settings: Settings, account: Account) -> Settings:
    """The settings with the account in them, whether they named it or not."""
    site = settings.site.model_copy(update={"account": account.id})
    return settings.model_copy(update={"site": site})
