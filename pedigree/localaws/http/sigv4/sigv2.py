"""Signature Version 2 in the query of a request to S3: botocore still presigns so unless it is told otherwise.

It covers method, path, subresources and AWS's own headers; other parameters of the query are not signed.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from urllib.parse import unquote

from pedigree.localaws.http.aws_hosts import s3_bucket
from pedigree.localaws.http.sigv4 import errors
from pedigree.localaws.http.sigv4.parts import RequestParts

PARAMETERS = ("AWSAccessKeyId", "Signature", "Expires")
_SUBRESOURCES = frozenset(
    (
        *("accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location"),
        *("logging", "metrics", "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment"),
        *("response-cache-control", "response-content-disposition", "response-content-encoding"),
        *("response-content-language", "response-content-type", "response-expires", "restore", "select", "select-type"),
        *("storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions"),
        "website",
        # No client signs these; they count here, so that none can be added to what was signed.
        *("attributes", "encryption", "intelligent-tiering", "legal-hold", "ownershipControls", "publicAccessBlock"),
        "retention",
    )
)


@dataclass(frozen=True)
class QuerySignature:
    """A signature that holds until a time."""

    key_id: str
    value: str
    expires: str
    token: str = ""


def from_query(parts: RequestParts) -> QuerySignature:
    """The signature in the query."""
    given = parts.parameters
    if not all(given.get(name) for name in PARAMETERS):
        words = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        raise errors.SignatureError("AccessDenied", words)
    key_id, value, expires = (given[name] for name in PARAMETERS)
    if not (expires.isascii() and expires.isdigit() and len(expires) < len(str(10**18))):
        raise errors.SignatureError("AccessDenied", f"Invalid date (should be seconds since epoch): {expires}")
    return QuerySignature(key_id, value, expires, given.get("x-amz-security-token", ""))


def check(parts: RequestParts, signature: QuerySignature, secret: str, now: float) -> None:
    """Compare the time and the signature."""
    if int(signature.expires) < now:
        raise errors.expired_for_s3(int(signature.expires), now)
    paths = _paths(_bucket_path(parts))
    if not any(_is_signed(parts, path, signature, secret) for path in paths):
        text = _string_to_sign(parts, paths[0], signature.expires)
        raise errors.mismatch_for_s3(signature.key_id, signature.value, text)


def _is_signed(parts: RequestParts, path: str, signature: QuerySignature, secret: str) -> bool:
    text = _string_to_sign(parts, path, signature.expires).encode("latin-1", "replace")
    computed = base64.b64encode(hmac.digest(secret.encode(), text, "sha1"))
    return hmac.compare_digest(computed, signature.value.encode())


def _bucket_path(parts: RequestParts) -> str:
    """The path as it is signed: with the bucket, which may be in the host's name."""
    bucket = s3_bucket(parts.headers.get("host", ""))
    return f"/{bucket}{parts.path}" if bucket else parts.path


def _paths(path: str) -> tuple[str, ...]:
    """The path as it may be signed: that of a bucket may have a slash at its end."""
    return (path, f"{path}/") if path.count("/") == 1 else (path,)


def _string_to_sign(parts: RequestParts, path: str, expires: str) -> str:
    headers = parts.headers
    standard = (parts.method.upper(), headers.get("content-md5", ""), headers.get("content-type", ""), expires)
    amazon = {name.lower(): value for name, value in (*parts.parameters.items(), *headers.items()) if _is_amazon(name)}
    lines = (f"{name}:{amazon[name].strip()}" for name in sorted(amazon))
    return "\n".join((*standard, *lines, _resource(path, parts.query)))


def _is_amazon(name: str) -> bool:
    return name.lower().startswith("x-amz-")


def _resource(path: str, query: str) -> str:
    words = [piece.partition("=") for piece in query.split("&")]
    signed = sorted((word for word in words if word[0] in _SUBRESOURCES), key=lambda word: word[0])
    text = "&".join(f"{name}{equals}{unquote(value)}" for name, equals, value in signed)
    return f"{path}?{text}" if text else path
