"""The bucket: encrypted, private, TLS only, versioned, with rules that delete old objects.

An upsert creates it if the settings name none, or one that does not exist, and tags it. A bucket that the settings name
and that has no tag of ours is used as it is. No lifecycle rule deletes objects under executions/, because registered
models lie there; they move to a cheaper storage class while they are not read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedigree.account import differences
from pedigree.account.account import Account
from pedigree.account.errors import DeniedError, NameTakenError
from pedigree.account.plan import ApiCall, Change
from pipeline.account import tags
from pipeline.settings.tree import Settings
from steps.site import OWNER

_LABELS = "tags"
_ANYWHERE = "us-east-1"  # the region that a request to create must not name
_COLD_AFTER_DAYS = 30
_OLD_VERSIONS_DAYS = 30
_ABANDONED_UPLOAD_DAYS = 7
_PRIVATE = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


@dataclass(frozen=True)
class Aspect:
    """One setting of a bucket: the calls' common name, the argument of writing, and the path in what is read.

    merged returns the value to write, from the existing value; None if nothing differs.
    """

    name: str
    calls: str
    argument: str
    path: str
    merged: Callable[[Any], Any]


@dataclass(frozen=True)
class Bucket:
    """The bucket that the settings name."""

    settings: Settings

    @property
    def name(self) -> str:
        return self.settings.site.bucket_name

    def changes(self, account: Account) -> Iterator[Change]:
        """Creates the bucket, or updates it if it is ours."""
        region = self._region(account)
        if region is None:
            yield Change("create", "bucket", self.name, self._creation(account))
        elif region != account.region:
            raise NameTakenError(
                f"bucket {self.name} lies in {region}, and settings say {account.region}",
                "name one of that region with site.bucket",
            )
        elif self.is_ours(labels(account, self.name)):
            yield from self._repair(account)

    def is_ours(self, existing: tags.Tags) -> bool:
        """Whether this pipeline manages it: it carries our tag, or no owner's tag and the default name."""
        if OWNER in existing:
            return tags.is_of(existing, tags.wanted(self.settings))
        return not self.settings.site.bucket

    def _region(self, account: Account) -> str | None:
        try:
            existing = account.find("s3", "head_bucket", Bucket=self.name, ExpectedBucketOwner=account.id)
        except DeniedError as denied:
            raise NameTakenError(
                f"bucket {self.name} belongs to another account, "
                f"or {account.caller or 'the caller'} may not s3:ListBucket on it",
                "choose another with site.bucket, or allow it",
            ) from denied
        return None if existing is None else str(existing.get("BucketRegion") or account.region)

    def _creation(self, account: Account) -> tuple[ApiCall, ...]:
        configuration: dict[str, Any] = {"Tags": tags.pairs(tags.wanted(self.settings))}
        if account.region != _ANYWHERE:
            configuration["LocationConstraint"] = account.region
        made = ApiCall("s3", "create_bucket", {"Bucket": self.name, "CreateBucketConfiguration": configuration})
        others = [aspect for aspect in self._aspects() if aspect.name != _LABELS]  # it comes with those
        return (made, *(self._written(aspect, aspect.merged(None), account) for aspect in others))

    def _repair(self, account: Account) -> Iterator[Change]:
        calls, why = [], []
        for aspect in self._aspects():
            answer = account.find("s3", f"get_{aspect.calls}", Bucket=self.name, ExpectedBucketOwner=account.id)
            merged = aspect.merged((answer or {}).get(aspect.path) if aspect.path else answer)
            if merged is not None:
                calls.append(self._written(aspect, merged, account))
                why.append(f"{aspect.name} differs from the settings")
        if calls:
            yield Change("update", "bucket", self.name, tuple(calls), tuple(why))

    def _written(self, aspect: Aspect, value: Any, account: Account) -> ApiCall:
        where = {"Bucket": self.name, "ExpectedBucketOwner": account.id}
        return ApiCall("s3", f"put_{aspect.calls}", {**where, aspect.argument: value})

    def _aspects(self) -> tuple[Aspect, ...]:
        encryption, private = "ServerSideEncryptionConfiguration", "PublicAccessBlockConfiguration"
        versioned = {"Status": "Enabled"}
        return (
            Aspect("encryption", "bucket_encryption", encryption, encryption, self._encryption),
            Aspect("public access", "public_access_block", private, private, _as_whole(_PRIVATE)),
            Aspect("versioning", "bucket_versioning", "VersioningConfiguration", "", _as_whole(versioned)),
            Aspect("lifecycle", "bucket_lifecycle_configuration", "LifecycleConfiguration", "Rules", self._lifecycle),
            Aspect(_LABELS, "bucket_tagging", "Tagging", "TagSet", self._tagging),
            Aspect("policy", "bucket_policy", "Policy", "Policy", self._policy),
        )

    def _encryption(self, existing: Mapping[str, Any] | None) -> Any:
        """With the key of the settings; without one, stronger encryption that exists is kept."""
        key = self.settings.site.encryption.output_key
        if existing and not key:
            return None
        how = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} if key else {"SSEAlgorithm": "AES256"}
        rule = {"ApplyServerSideEncryptionByDefault": how, **({"BucketKeyEnabled": True} if key else {})}
        return _as_whole({"Rules": [rule]})(existing)

    def _lifecycle(self, existing: Sequence[Mapping[str, Any]] | None) -> Any:
        rules = differences.merged(existing or (), _rules(self.settings.site.prefix), "ID", differences.includes)
        return None if rules is None else {"Rules": rules}

    def _tagging(self, existing: Sequence[Mapping[str, str]] | None) -> Any:
        labelled = differences.merged(existing or (), tags.pairs(tags.wanted(self.settings)), "Key")
        return None if labelled is None else {"TagSet": labelled}

    def _policy(self, existing: str | None) -> Any:
        document = json.loads(existing) if existing else {"Version": "2012-10-17"}
        there = document.get("Statement", [])
        listed: list[Any] = there if isinstance(there, list) else [there]
        statements = differences.merged(listed, [self._over_tls_only()], "Sid")
        return None if statements is None else json.dumps({**document, "Statement": statements})

    def _over_tls_only(self) -> Mapping[str, Any]:
        arn = self.settings.site.bucket_arn
        return {
            "Sid": "OverTlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }


def labels(account: Account, bucket: str) -> dict[str, str]:
    """The tags of a bucket."""
    existing = account.find("s3", "get_bucket_tagging", Bucket=bucket, ExpectedBucketOwner=account.id)
    return tags.mapping((existing or {}).get("TagSet", ()))


def _as_whole(wanted: Any) -> Callable[[Any], Any]:
    """The whole setting, if the existing one does not cover it."""
    return lambda existing: None if differences.covers(existing, wanted) else wanted


def _rules(prefix: str) -> tuple[Mapping[str, Any], ...]:
    return (
        {
            "ID": "pedigree-executions",
            "Status": "Enabled",
            "Filter": {"Prefix": f"{prefix}/executions/"},
            "Transitions": [{"Days": _COLD_AFTER_DAYS, "StorageClass": "INTELLIGENT_TIERING"}],
        },
        {
            "ID": "pedigree-leftovers",
            "Status": "Enabled",
            "Filter": {"Prefix": f"{prefix}/"},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
            "NoncurrentVersionExpiration": {"NoncurrentDays": _OLD_VERSIONS_DAYS},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _ABANDONED_UPLOAD_DAYS},
        },
    )
