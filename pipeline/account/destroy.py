"""Removes from an account what upsert and executions made and, with --data, the data.

Each run reads the account again, so it finds what an interrupted run has left. The service-linked role of
scaling stays: it is the account's, and other endpoints may scale by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from pedigree.account.account import Account
from pedigree.account.empty_bucket import stored
from pedigree.account.errors import NameTakenError
from pedigree.account.plan import ApiCall, Change, EmptyBucket, ManagedResource
from pipeline.account import tags
from pipeline.account.bucket import Bucket, labels
from pipeline.account.removals import IN_ORDER, RemovalContext
from pipeline.settings.tree import Settings
from steps.site import OWNER

_COUNTED = 1000


@dataclass(frozen=True)
class RecreatableResources:
    """Everything that an upsert and an execution can make again."""

    settings: Settings

    def changes(self, account: Account) -> Iterator[Change]:
        """What exists, in the order in which it can be deleted."""
        context = RemovalContext(account, self.settings)
        for removal in IN_ORDER:
            yield from removal(context)


@dataclass(frozen=True)
class DataRemoval:
    """What cannot be made again: the versions in the registry and the bucket's objects."""

    settings: Settings

    def changes(self, account: Account) -> Iterator[Change]:
        """What exists; raises NameTakenError if another pipeline may keep its data in the same place."""
        changes = list(self.there(account))
        others = self._others(account) if changes else ()
        if others:
            raise NameTakenError(
                f"{' and '.join(others)} may keep data in bucket {Bucket(self.settings).name} too",
                "remove that pipeline before, or delete by hand what is to go",
            )
        yield from changes

    def there(self, account: Account) -> Iterator[Change]:
        """What exists, even if another pipeline uses it."""
        yield from self._registry(account)
        yield from self._bucket(account)

    def _registry(self, account: Account) -> Iterator[Change]:
        named = {"ModelPackageGroupName": self.settings.registry.group}
        group = account.find("sagemaker", "describe_model_package_group", **named)
        if group is None:
            return
        arn = group["ModelPackageGroupArn"]
        there = tags.mapping(account.each("sagemaker", "list_tags", "Tags", ResourceArn=arn))
        if not tags.is_of(there, tags.wanted(self.settings)):
            return
        versions = account.each("sagemaker", "list_model_packages", "ModelPackageSummaryList", **named)
        calls = [
            ApiCall("sagemaker", "delete_model_package", {"ModelPackageName": version["ModelPackageArn"]})
            for version in versions
        ]
        why = (f"versions in it: {len(calls)}",) if calls else ()
        gone = ApiCall("sagemaker", "delete_model_package_group", named)
        yield Change("delete", "model group", named["ModelPackageGroupName"], (*calls, gone), why)

    def _bucket(self, account: Account) -> Iterator[Change]:
        """Our own bucket with everything in it; in another's bucket, the objects under our prefix."""
        bucket, prefix = Bucket(self.settings), f"{self.settings.site.prefix}/"
        where = {"Bucket": bucket.name, "ExpectedBucketOwner": account.id}
        if account.find("s3", "head_bucket", **where) is None:
            return
        is_ours = bucket.is_ours(labels(account, bucket.name))
        under = "" if is_ours else prefix
        count = len(list(islice(stored(account, bucket.name, under), _COUNTED)))
        why = (f"versions of objects in it: {count}{' or more' if count == _COUNTED else ''}",) if count else ()
        removal = EmptyBucket(bucket.name, under)
        if is_ours:
            yield Change("delete", "bucket", bucket.name, (removal, ApiCall("s3", "delete_bucket", where)), why)
        elif count:
            yield Change("delete", "objects", f"{bucket.name}/{prefix}", (removal,), why)

    def _others(self, account: Account) -> list[str]:
        """The other pipelines of this account and region."""
        tagged = account.each(
            "resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", TagFilters=[{"Key": OWNER}]
        )
        owners = {tags.mapping(item["Tags"])[OWNER] for item in tagged} - {tags.wanted(self.settings)[OWNER]}
        return [
            owner
            for owner in sorted(owners)
            if account.find("sagemaker", "describe_pipeline", PipelineName=owner.rpartition("/")[2]) is not None
        ]


def resources(settings: Settings, *, data: bool) -> list[ManagedResource]:
    """The resources to remove, for settings that name their account."""
    return [RecreatableResources(settings), *([DataRemoval(settings)] if data else [])]
