"""Uploads the scripts' archive to S3, under a key made from its content: an archive that exists is not uploaded again.

S3 checks the checksum when it takes the archive in. Two machines may compress the same content to other bytes, so it is
the hash of the content, kept beside the object, that shows whether the object is current.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from pedigree.account.account import Account
from pedigree.account.plan import ApiCall, Change
from pipeline.settings.tree import Settings
from pipeline.source import SourceArchive

_CONTENT = "content-sha256"


@dataclass(frozen=True)
class Archive:
    """The archive of entrypoints/ at the address that the definition names."""

    settings: Settings
    archive: SourceArchive

    def changes(self, account: Account) -> Iterator[Change]:
        """Uploads it, unless it exists."""
        bucket, _, key = self.archive.placed(self.settings.site).uri.removeprefix("s3://").partition("/")
        where = {"Bucket": bucket, "Key": key, "ExpectedBucketOwner": account.id}
        existing = account.find("s3", "head_object", **where)
        if existing is not None and existing.get("Metadata", {}).get(_CONTENT) == self.archive.sha256:
            return
        why = () if existing is None else ("the object has other content",)
        yield Change("create" if existing is None else "update", "code", key, (self._upload(where),), why)

    def _upload(self, where: dict[str, str]) -> ApiCall:
        content = self.archive.compressed
        key = self.settings.site.encryption.output_key
        arguments = {
            **where,
            "Body": content,
            "ContentType": "application/gzip",
            "ChecksumSHA256": base64.b64encode(hashlib.sha256(content).digest()).decode(),
            "Metadata": {_CONTENT: self.archive.sha256},
            **({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}),
        }
        return ApiCall("s3", "put_object", arguments)
