"""Makes an Account from credentials: the one place that uses boto3's session and its configuration."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from pedigree.account import refusals
from pedigree.account.account import Account
from pedigree.account.errors import UnreachableError
from pedigree.aws import regions
from pedigree.local_endpoint import ENDPOINT, VARIABLE, is_loopback

# Throttling and server errors are tried again, within a bound.
_PATIENCE = Config(
    retries={"mode": "standard", "max_attempts": 6}, connect_timeout=10, read_timeout=60, user_agent_extra="pedigree"
)
# What a local AWS is asked does not leave this machine, not even for a proxy.
_DIRECT = Config(proxies={})
# A function answers when it is done; invoking it twice would not make it quicker.
_OF_SERVICES = {"lambda": _PATIENCE.merge(Config(read_timeout=910, tcp_keepalive=True))}

# Services that are in one region of a partition only.
_HOMES = {"pricing": {"aws": "us-east-1", "aws-cn": "cn-northwest-1"}}


def connect(account: str = "", region: str = "", profile: str = "") -> Account:
    """The account of the credentials; raises UnreachableError if it is not the one that is named.

    Region and profile default to those of boto3: environment variables, then ~/.aws/config. Where the environment is
    that of a local AWS, every client of every service uses its address, whatever is configured otherwise.
    """
    local = _local_endpoint(os.environ, profile)
    session = _session(region, profile)
    region = session.region_name or ""
    if not region:
        raise UnreachableError("no AWS region is chosen", "add --region, or set AWS_DEFAULT_REGION")

    @cache
    def client(service: str) -> Any:
        home = _HOMES.get(service, {}).get(regions.partition(region), region)
        config = _OF_SERVICES.get(service, _PATIENCE)
        if local:
            return session.client(service, region_name=home, endpoint_url=local, config=config.merge(_DIRECT))
        return session.client(service, region_name=home, config=config)

    identity = Account(account, region, client).call("sts", "get_caller_identity")
    if account and account != identity["Account"]:
        raise UnreachableError(
            f"the AWS credentials are for account {identity['Account']}, not for {account}",
            "choose the right profile with --profile, or name the other account",
        )
    endpoint = str(client("sts").meta.endpoint_url)
    return Account(identity["Account"], region, client, identity["Arn"], has_console=not is_loopback(endpoint))


def _session(region: str, profile: str) -> Any:
    try:
        return boto3.Session(region_name=region or None, profile_name=profile or None)
    except BotoCoreError as error:
        raise refusals.explained(error, "sts", "get_caller_identity", {}, "") from error


def _local_endpoint(environ: Mapping[str, str], profile: str) -> str:
    """The address of the local AWS; empty for an account. Raises UnreachableError if an account could be reached."""
    url = environ.get(ENDPOINT, "")
    if not is_loopback(url):
        if environ.get(VARIABLE):
            raise UnreachableError(
                f"{VARIABLE} asks for the local AWS, and {ENDPOINT} is {url or 'not set'}",
                'set both with eval "$(pedigree local up)"',
            )
        return ""
    if profile and environ.get(VARIABLE):
        raise UnreachableError(
            f"--profile {profile} has credentials of an account, and the local AWS is asked", "leave --profile out"
        )
    return url
