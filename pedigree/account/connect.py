"""Makes an Account from credentials: the one place that uses boto3's session and its configuration."""

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

# Throttling and server errors are tried again, within a bound.
_PATIENCE = Config(
    retries={"mode": "standard", "max_attempts": 6}, connect_timeout=10, read_timeout=60, user_agent_extra="pedigree"
)
# A function answers when it is done; invoking it twice would not make it quicker.
_OF_SERVICES = {"lambda": _PATIENCE.merge(Config(read_timeout=910, tcp_keepalive=True))}

# Services that are in one region of a partition only.
_HOMES = {"pricing": {"aws": "us-east-1", "aws-cn": "cn-northwest-1"}}


def connect(account: str = "", region: str = "", profile: str = "") -> Account:
    """The account of the credentials; raises UnreachableError if it is not the one that is named.

    Region and profile default to those of boto3: environment variables, then ~/.aws/config.
    """
    session = _session(region, profile)
    region = session.region_name or ""
    if not region:
        raise UnreachableError("no AWS region is chosen", "add --region, or set AWS_DEFAULT_REGION")

    @cache
    def client(service: str) -> Any:
        home = _HOMES.get(service, {}).get(regions.partition(region), region)
        return session.client(service, region_name=home, config=_OF_SERVICES.get(service, _PATIENCE))

    identity = Account(account, region, client).call("sts", "get_caller_identity")
    if account and account != identity["Account"]:
        raise UnreachableError(
            f"the AWS credentials are for account {identity['Account']}, not for {account}",
            "choose the right profile with --profile, or name the other account",
        )
    endpoint = str(client("sts").meta.endpoint_url)
    return Account(identity["Account"], region, client, identity["Arn"], has_console=not _is_local(endpoint))


def _session(region: str, profile: str) -> Any:
    try:
        return boto3.Session(region_name=region or None, profile_name=profile or None)
    except BotoCoreError as error:
        raise refusals.explained(error, "sts", "get_caller_identity", {}, "") from error


def _is_local(endpoint: str) -> bool:
    return urlsplit(endpoint).hostname in ("127.0.0.1", "localhost", "::1")
