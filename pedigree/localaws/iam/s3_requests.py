"""Derives what a request of S3 needs from its method, the bucket and object that it names, and the words in its query.

Each word that names a sub-resource counts, whichever of them S3 would act on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pedigree.iam import Request
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_address import address, copy_source
from pedigree.localaws.http.protocol.s3_errors import S3Error

_LISTING = {"prefix": "s3:prefix", "delimiter": "s3:delimiter", "max-keys": "s3:max-keys"}
_HEADERS = {
    "x-amz-server-side-encryption": "s3:x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-acl": "s3:x-amz-acl",
    "x-amz-storage-class": "s3:x-amz-storage-class",
    "x-amz-metadata-directive": "s3:x-amz-metadata-directive",
}
# Kinds of configuration, and the nouns of their actions; deleting one is a Put, but for policies.
_CONFIGURED = {
    "encryption": "EncryptionConfiguration",
    "policy": "BucketPolicy",
    "lifecycle": "LifecycleConfiguration",
    "tagging": "BucketTagging",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "ownershipControls": "BucketOwnershipControls",
    "cors": "BucketCORS",
    "versioning": "BucketVersioning",
    "notification": "BucketNotification",
    "logging": "BucketLogging",
    "acl": "BucketAcl",
    "accelerate": "AccelerateConfiguration",
    "requestPayment": "BucketRequestPayment",
    "website": "BucketWebsite",
    "object-lock": "BucketObjectLockConfiguration",
    "metrics": "MetricsConfiguration",
    "analytics": "AnalyticsConfiguration",
    "inventory": "InventoryConfiguration",
    "intelligent-tiering": "IntelligentTieringConfiguration",
}
ACTIONS: Mapping[tuple[str, str, str], str] = {
    ("GET", "service", ""): "ListAllMyBuckets",
    ("PUT", "bucket", ""): "CreateBucket",
    ("HEAD", "bucket", ""): "ListBucket",
    ("DELETE", "bucket", ""): "DeleteBucket",
    ("GET", "bucket", ""): "ListBucket",
    ("GET", "bucket", "versions"): "ListBucketVersions",
    ("GET", "bucket", "location"): "GetBucketLocation",
    ("GET", "bucket", "uploads"): "ListBucketMultipartUploads",
    **{("GET", "bucket", word): f"Get{noun}" for word, noun in _CONFIGURED.items()},
    **{("PUT", "bucket", word): f"Put{noun}" for word, noun in _CONFIGURED.items()},
    **{("DELETE", "bucket", word): f"Put{noun}" for word, noun in _CONFIGURED.items()},
    ("DELETE", "bucket", "policy"): "DeleteBucketPolicy",
    ("DELETE", "bucket", "website"): "DeleteBucketWebsite",
    ("GET", "object", ""): "GetObject",
    ("HEAD", "object", ""): "GetObject",
    ("PUT", "object", ""): "PutObject",
    ("DELETE", "object", ""): "DeleteObject",
    ("GET", "object", "versionId"): "GetObjectVersion",
    ("HEAD", "object", "versionId"): "GetObjectVersion",
    ("DELETE", "object", "versionId"): "DeleteObjectVersion",
    ("POST", "object", "uploads"): "PutObject",
    ("PUT", "object", "uploadId"): "PutObject",
    ("POST", "object", "uploadId"): "PutObject",
    ("DELETE", "object", "uploadId"): "AbortMultipartUpload",
    ("GET", "object", "uploadId"): "ListMultipartUploadParts",
    ("GET", "object", "tagging"): "GetObjectTagging",
    ("PUT", "object", "tagging"): "PutObjectTagging",
    ("DELETE", "object", "tagging"): "DeleteObjectTagging",
    ("GET", "object", "acl"): "GetObjectAcl",
    ("PUT", "object", "acl"): "PutObjectAcl",
    ("GET", "object", "attributes"): "GetObjectAttributes",
    ("GET", "object", "retention"): "GetObjectRetention",
    ("PUT", "object", "retention"): "PutObjectRetention",
    ("GET", "object", "legal-hold"): "GetObjectLegalHold",
    ("PUT", "object", "legal-hold"): "PutObjectLegalHold",
    ("POST", "object", "restore"): "RestoreObject",
}
# Of a version, these are actions of their own; all others need the one on the version besides.
_OF_VERSION = {
    "GetObjectTagging": "GetObjectVersionTagging",
    "PutObjectTagging": "PutObjectVersionTagging",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
    "GetObjectAcl": "GetObjectVersionAcl",
    "PutObjectAcl": "PutObjectVersionAcl",
}
# What a write needs besides, by the header that asks for it.
_BY_HEADER = {
    "x-amz-tagging": "PutObjectTagging",
    "x-amz-object-lock-mode": "PutObjectRetention",
    "x-amz-object-lock-legal-hold": "PutObjectLegalHold",
    "x-amz-bypass-governance-retention": "BypassGovernanceRetention",
}
_GRANTS = "x-amz-grant-"
_OWN_ACLS = ("private", "bucket-owner-full-control")


def arn(bucket: str, key: str = "") -> str:
    """A bucket's ARN, or an object's."""
    return f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"


def names_resources_in_body(exchange: Exchange) -> bool:
    """Whether the body says what a request needs: objects that are deleted, or the tags of a new bucket."""
    is_bucket = not address(exchange.raw_path).key
    return is_bucket and (exchange.method == "PUT" or (exchange.method == "POST" and "delete" in exchange.args))


def requests(exchange: Exchange) -> Iterator[Request]:
    """The actions and resources that a request of S3 needs."""
    bucket, key, _ = address(exchange.raw_path)
    method, args = exchange.method, exchange.args
    level = "object" if key else "bucket" if bucket else "service"
    context = {name: exchange.headers[header] for header, name in _HEADERS.items() if header in exchange.headers}
    if (method, level) == ("POST", "bucket") and "delete" in args:
        yield from _deletions(exchange, bucket, context)
        return
    context |= {name: args[word] for word, name in _LISTING.items() if word in args and level == "bucket"}
    words = [word for word in args if (method, level, word) in ACTIONS] or [""]
    resource = arn(bucket, key) if bucket else "*"
    for action in _actions(method, level, words, has_version="versionId" in args):
        yield Request(f"s3:{action}", resource, context)
    if level == "object":
        yield from (Request(f"s3:{action}", resource, context) for action in _by_headers(exchange))
    if (method, level, words) == ("PUT", "bucket", [""]) and _elements(exchange, "Tag"):
        yield Request("s3:TagResource", resource, context)
    source = copy_source(exchange.headers)
    if source is not None:
        action = "s3:GetObjectVersion" if source.version else "s3:GetObject"
        yield Request(action, arn(source.bucket, source.key))


def _actions(method: str, level: str, words: Sequence[str], *, has_version: bool) -> Iterator[str]:
    actions = [ACTIONS.get((method, level, word), f"{method.title()}{level.title()}") for word in words]
    if has_version and any(action in _OF_VERSION for action in actions):
        actions = [_OF_VERSION[action] for action in actions if action in _OF_VERSION]
    yield from actions
    if "attributes" in words:
        yield "GetObject"


def _by_headers(exchange: Exchange) -> Iterator[str]:
    """What the headers of a write ask for, that needs an action of its own."""
    headers = exchange.headers
    yield from (action for name, action in _BY_HEADER.items() if name in headers)
    has_grants = any(name.startswith(_GRANTS) for name in headers)
    if has_grants or headers.get("x-amz-acl", _OWN_ACLS[0]) not in _OWN_ACLS:
        yield "PutObjectAcl"


def _deletions(exchange: Exchange, bucket: str, context: Mapping[str, str]) -> Iterator[Request]:
    """A need for each object to delete, and for each version; for everything, if the request cannot be read."""
    objects = _elements(exchange, "Object")
    for element in objects:
        place = arn(bucket, element.findtext("Key", ""))
        yield Request("s3:DeleteObject", place, context)
        if element.findtext("VersionId") is not None:
            yield Request("s3:DeleteObjectVersion", place, context)
    if not objects:
        yield Request("s3:DeleteObject", arn(bucket, "*"), context)


def _elements(exchange: Exchange, name: str) -> list[Any]:
    """The elements of a name in a request's document; none if it cannot be parsed, which S3 refuses then."""
    try:
        return list(xml.parse(exchange.body).iter(name))
    except S3Error:
        return []
