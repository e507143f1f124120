"""What a request of S3 needs: known by its method, whether it names a bucket or an object, and the words in its query.

Every word that stands for something else than the object or the bucket itself counts, whichever of them S3 would take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

from pedigree.iam import Request
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import ObjectsError
from pedigree.localaws.http.protocol.parser import body

Environ: TypeAlias = dict[str, Any]
_LISTING = {"prefix": "s3:prefix", "delimiter": "s3:delimiter", "max-keys": "s3:max-keys"}
_HEADERS = {
    "HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION": "s3:x-amz-server-side-encryption",
    "HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION_AWS_KMS_KEY_ID": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "HTTP_X_AMZ_ACL": "s3:x-amz-acl",
    "HTTP_X_AMZ_STORAGE_CLASS": "s3:x-amz-storage-class",
    "HTTP_X_AMZ_METADATA_DIRECTIVE": "s3:x-amz-metadata-directive",
}
# What is configured, and what reading and writing it are called; removing it is writing, but for a policy.
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
}


def arn(bucket: str, key: str = "") -> str:
    """A bucket's ARN, or an object's."""
    return f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"


def requests(environ: Environ) -> Iterator[Request]:
    """What a request of S3 needs."""
    bucket, _, key = environ.get("PATH_INFO", "/").lstrip("/").partition("/")
    asked = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    method, level = environ["REQUEST_METHOD"], "object" if key else "bucket" if bucket else "service"
    context = {name: environ[header] for header, name in _HEADERS.items() if header in environ}
    if (method, level) == ("POST", "bucket") and "delete" in asked:
        yield from _deleted(environ, bucket, context)
        return
    context |= {name: asked[word] for word, name in _LISTING.items() if word in asked and level == "bucket"}
    words = [word for word in asked if (method, level, word) in ACTIONS] or [""]
    resource = arn(bucket, key) if bucket else "*"
    for word in words:
        action = ACTIONS.get((method, level, word), f"{method.title()}{level.title()}")
        yield Request(f"s3:{action}", resource, context)
    if (method, level, words) == ("PUT", "bucket", [""]) and _elements(environ, "Tag"):
        yield Request("s3:TagResource", resource, context)
    source = environ.get("HTTP_X_AMZ_COPY_SOURCE")
    if source is not None:
        place = unquote(source.partition("?")[0]).lstrip("/")
        yield Request("s3:GetObject", arn(*place.partition("/")[::2]))


def _deleted(environ: Environ, bucket: str, context: Mapping[str, str]) -> Iterator[Request]:
    """Deleting many is deleting each of them, and a version besides where one is named; of what cannot be read, all."""
    wanted = _elements(environ, "Object")
    for one in wanted:
        place = arn(bucket, one.findtext("Key", ""))
        yield Request("s3:DeleteObject", place, context)
        if one.findtext("VersionId") is not None:
            yield Request("s3:DeleteObjectVersion", place, context)
    if not wanted:
        yield Request("s3:DeleteObject", arn(bucket, "*"), context)


def _elements(environ: Environ, name: str) -> list[Any]:
    """The elements of a name in a request's document; none in what cannot be read, which S3 will refuse."""
    try:
        return list(xml.parse(body(environ)).iter(name))
    except ObjectsError:
        return []
