"""Empties a bucket: every version of every object under a prefix, a thousand at a time.

A bucket may hold millions of objects, so no plan can name them; the first that is listed is removed until nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from pedigree.account.account import Account
from pedigree.account.plan import EmptyBucket

_BATCH = 1000


def empty(removal: EmptyBucket, account: Account, waiting: Callable[[str, float], None]) -> None:
    """Removes all of it; a call that could not remove something raises its error."""
    since, removed = account.clock.monotonic(), 0
    where = {"Bucket": removal.bucket, "ExpectedBucketOwner": account.id}
    versions = stored(account, removal.bucket, removal.prefix)
    while batch := list(islice(versions, _BATCH)):
        account.call("s3", "delete_objects", **where, Delete={"Objects": batch, "Quiet": True})
        removed += len(batch)
        waiting(f"bucket {removal.bucket} to be empty, {removed} removed", account.clock.monotonic() - since)


def stored(account: Account, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    """The versions of objects under a prefix, markers of deletion among them, by key and version."""
    where = {"Bucket": bucket, "ExpectedBucketOwner": account.id, "Prefix": prefix}
    for key in ("Versions", "DeleteMarkers"):
        for version in account.each("s3", "list_object_versions", key, **where):
            yield {"Key": version["Key"], "VersionId": version["VersionId"]}
