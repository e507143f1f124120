"""What S3 says of a change of an object: as a record for queues and functions, and as an event of EventBridge."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from pedigree.localaws.http.protocol.s3_request_ids import s3_host_id, s3_request_id
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3.version_history import NULL

_DETAIL_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
    "ObjectAcl": "Object ACL Updated",
    "ObjectRestore:Post": "Object Restore Initiated",
    "ObjectRestore:Completed": "Object Restore Completed",
}
_REASONS = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Post": "POST Object",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "ObjectRemoved:Delete": "DeleteObject",
    "ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
}
_DELETION_TYPES = {
    "ObjectRemoved:Delete": "Permanently Deleted",
    "ObjectRemoved:DeleteMarkerCreated": "Delete Marker Created",
}
# Of these changes S3 names neither the size nor the place in the order of changes.
_UNORDERED = ("ObjectTagging", "ObjectAcl")
_HERE, _S3 = "127.0.0.1", "s3.amazonaws.com"
_RESTORED = "ObjectRestore:Completed"


@dataclass(frozen=True)
class ObjectEvent:
    """A change of an object: its name as in s3:ObjectCreated:Put, and the document of what was changed."""

    name: str
    bucket: str
    key: str
    body: Document
    owner: str
    requester: str = ""
    region: str = ""
    request: str = field(default_factory=s3_request_id)

    @property
    def kind(self) -> str:
        return self.name.partition(":")[0]

    @property
    def bucket_arn(self) -> str:
        return f"arn:aws:s3:::{self.bucket}"

    @property
    def _sequencer(self) -> str:
        return f"{int(self.body.get('number', 0)):016X}"

    @property
    def _version(self) -> str:
        version = str(self.body.get("version", NULL))
        return "" if version == NULL else version

    @property
    def _restored(self) -> str:
        """Until when a cold object was restored, if that is what has happened."""
        return str(self.body.get("restored", "")) if self.name == _RESTORED else ""

    @property
    def _who(self) -> str:
        return f"AmazonCustomer:{self.owner}" if self._restored else f"AWS:{self.requester}"

    @property
    def _restoration(self) -> dict[str, Any]:
        if not self._restored:
            return {}
        storage_class = self.body.get("storage_class", "")
        told = {"lifecycleRestorationExpiryTime": self._restored, "lifecycleRestoreStorageClass": storage_class}
        return {"glacierEventData": {"restoreEventData": told}}

    def record(self, configuration: str, moment: dt.datetime) -> dict[str, Any]:
        """The message for a queue or a function, with the id of the configuration that asks for it."""
        is_ordered = self.kind not in _UNORDERED
        bucket = {"name": self.bucket, "ownerIdentity": {"principalId": self.owner}, "arn": self.bucket_arn}
        changed = {
            "key": quote_plus(self.key, safe="/"),
            **({"size": self.body["size"]} if is_ordered and "size" in self.body else {}),
            **({"eTag": self.body["etag"]} if "etag" in self.body else {}),
            **({"versionId": self._version} if self._version else {}),
            **({"sequencer": self._sequencer} if is_ordered else {}),
        }
        about = {"s3SchemaVersion": "1.0", "configurationId": configuration, "bucket": bucket, "object": changed}
        head = {
            "eventVersion": "2.1" if is_ordered else "2.3",
            "eventSource": "aws:s3",
            "awsRegion": self.region,
            "eventTime": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
            "eventName": self.name,
            "userIdentity": {"principalId": self._who},
            "requestParameters": {"sourceIPAddress": _S3 if self._restored else _HERE},
            "responseElements": {"x-amz-request-id": self.request, "x-amz-id-2": s3_host_id()},
        }
        return {"Records": [{**head, "s3": about, **self._restoration}]}

    def detail(self, account: str) -> tuple[str, Mapping[str, Any]]:
        """The type and the detail of the event for EventBridge."""
        is_ordered = self.kind not in _UNORDERED
        changed = {
            "key": self.key,
            **({"size": self.body["size"]} if is_ordered and "size" in self.body else {}),
            **({"etag": self.body["etag"]} if "etag" in self.body else {}),
            **({"version-id": self._version} if self._version else {}),
            **({"sequencer": self._sequencer} if is_ordered and self.kind != "ObjectRestore" else {}),
        }
        detail: dict[str, Any] = {
            "version": "0",
            "bucket": {"name": self.bucket},
            "object": changed,
            "request-id": self.request,
            "requester": account,
            "source-ip-address": _HERE,
        }
        if self.name in _REASONS:
            detail["reason"] = _REASONS[self.name]
        if self.name in _DELETION_TYPES:
            detail["deletion-type"] = _DELETION_TYPES[self.name]
        if self.kind == "ObjectRestore":
            detail["source-storage-class"] = self.body.get("storage_class", "")
        if self._restored:
            detail["restore-expiry-time"] = self._restored
            del detail["source-ip-address"]
        return _DETAIL_TYPES.get(self.name) or _DETAIL_TYPES[self.kind], detail
