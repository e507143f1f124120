"""Lists the model's versions in the registry, and plans the approval of one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from pedigree.account import endpoint
from pedigree.account.account import Account
from pedigree.account.errors import AbsentError, CallRefusedError
from pedigree.account.plan import ApiCall, Change

APPROVED = "Approved"
_COMPLETED = "Completed"


@dataclass(frozen=True)
class Version:
    """One version."""

    number: int
    arn: str
    approval: str
    status: str
    created: dt.datetime


def newest(account: Account, group: str, count: int) -> list[Version]:
    """The last versions, the newest first."""
    return list(islice(_listed(account, group), count))


def approve(account: Account, group: str, number: int) -> Change | None:
    """The change that approves a version; None if it is approved already."""
    version = next((version for version in _listed(account, group) if version.number == number), None)
    if version is None:
        numbers = [str(version.number) for version in newest(account, group, 10)]
        what = f"the last ones are {', '.join(numbers)}" if numbers else "there is none; an execution registers one"
        raise AbsentError(f"group {group} has no version {number}", what)
    if version.approval == APPROVED:
        return None
    if version.status != _COMPLETED:
        raise CallRefusedError(f"version {number} is {version.status} and cannot be deployed", "approve another one")
    arguments = {
        "ModelPackageArn": version.arn,
        "ModelApprovalStatus": APPROVED,
        "ApprovalDescription": f"approved by {account.caller} with pedigree approve",
    }
    why = (f"it was {version.approval}", "the rule on approvals then brings it to its endpoint")
    return Change(
        "update", "version", f"{group} {number}", (ApiCall("sagemaker", "update_model_package", arguments),), why
    )


def served(account: Account, name: str) -> dict[str, str]:
    """The ARNs of the versions that an endpoint serves, each with its status there."""
    try:
        described = endpoint.find(account, name)
    except AbsentError:
        return {}
    packages = {}
    for live, state in ((described.heading_for, described.status), (described.configuration, "serves")):
        configuration = endpoint.configuration(account, live) if live else None
        packages.update(
            {variant.package: state for variant in configuration.variants.values()} if configuration else {}
        )
    return packages


def _listed(account: Account, group: str) -> Iterator[Version]:
    arguments = {"ModelPackageGroupName": group, "SortBy": "CreationTime", "SortOrder": "Descending"}
    try:
        for summary in account.each("sagemaker", "list_model_packages", "ModelPackageSummaryList", **arguments):
            yield Version(
                number=summary.get("ModelPackageVersion", 0),
                arn=summary["ModelPackageArn"],
                approval=summary.get("ModelApprovalStatus", ""),
                status=summary["ModelPackageStatus"],
                created=summary["CreationTime"],
            )
    except AbsentError:
        return
