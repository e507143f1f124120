"""Makes links to pages of SageMaker Studio and the AWS console."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from pedigree.account.account import Account
from pedigree.account.errors import CallRefusedError, DeniedError
from pedigree.aws import regions

_CONSOLES: Mapping[str, str] = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


def console(region: str, service: str, page: str) -> str:
    """A page of a service in the console; empty without a region."""
    if not region:
        return ""
    host = _CONSOLES.get(regions.partition(region), f"{region}.console.aws.amazon.com")
    return f"https://{host}/{service}/home?region={region}#{page}"


def log_group(region: str, group: str, prefix: str = "") -> str:
    """The streams of a log group, those with a prefix only where one is given."""
    page = f"logsV2:log-groups/log-group/{_twice(group)}"
    return console(region, "cloudwatch", f"{page}$3FlogStreamNameFilter$3D{_twice(prefix)}" if prefix else page)


def execution(account: Account, pipeline: str, identifier: str) -> str:
    """An execution's page in Studio, or Studio's start page if the account has no domain that can be read."""
    if not account.has_console:
        return ""
    try:
        domain = next(account.each("sagemaker", "list_domains", "Domains"), None)
    except (DeniedError, CallRefusedError):
        domain = None
    if domain is None:
        return console(account.region, "sagemaker", "/studio")
    host = f"studio-{domain['DomainId']}.studio.{account.region}.sagemaker.aws"
    return f"https://{host}/pipelines/view/{quote(pipeline)}/executions/{quote(identifier)}/graph"


def _twice(text: str) -> str:
    """The console's own way of writing a name into its addresses: encoded twice, with $ for %."""
    return quote(quote(text, safe=""), safe="").replace("%", "$")
