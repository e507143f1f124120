"""Verifies Signature Version 4: whether a request is current, and signed with a secret, as a whole."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from pedigree.localaws.http.sigv4 import errors
from pedigree.localaws.http.sigv4.canonical import canonical_request
from pedigree.localaws.http.sigv4.errors import S3
from pedigree.localaws.http.sigv4.parts import RequestParts
from pedigree.localaws.http.sigv4.signature import ALGORITHM, CredentialScope, Signature, written_time

SKEW_SECONDS = 900
# A session token is compared with its session's, and a hash of the body with the body: they need no signature.
_OWN_PROOFS = ("x-amz-security-token", "x-amz-content-sha256")


def check_current(parts: RequestParts, signature: Signature, now: float) -> None:
    """What is checked before the secret is needed: times, and that all that matters is signed."""
    service = signature.scope.service
    if signature.scope.date != signature.time[:8]:
        raise errors.wrong_scope_date(service, signature.scope.date, signature.time)
    _check_time(signature, now)
    needed = {"host", *(name for name in parts.headers if name.startswith("x-amz-") and name not in _OWN_PROOFS)}
    unsigned = sorted(needed.difference(signature.signed_headers))
    if unsigned:
        raise errors.unsigned_headers(service, ", ".join(unsigned))


def check_signature(parts: RequestParts, signature: Signature, secret: str, payload_hash: str) -> None:
    """Compare the signature with the one that the secret makes; in constant time, so that no clock betrays it."""
    scope = signature.scope
    canonical = canonical_request(parts, signature.signed_headers, payload_hash, scope.service)
    text = f"{ALGORITHM}\n{signature.time}\n{scope}\n{hashlib.sha256(canonical).hexdigest()}"
    if not hmac.compare_digest(sign(signing_key(secret, scope), text).encode(), signature.value.encode()):
        if scope.service == S3:
            raise errors.mismatch_for_s3(signature.key_id, signature.value, text, canonical)
        raise errors.mismatch()


@lru_cache(maxsize=1024)
def signing_key(secret: str, scope: CredentialScope) -> bytes:
    """The key of a day, a region and a service."""
    key = f"AWS4{secret}".encode()
    for word in (scope.date, scope.region, scope.service, "aws4_request"):
        key = hmac.digest(key, word.encode(), "sha256")
    return key


def sign(key: bytes, text: str) -> str:
    """The signature of a text."""
    return hmac.digest(key, text.encode(), "sha256").hex()


def _check_time(signature: Signature, now: float) -> None:
    service, begin, present = signature.scope.service, signature.timestamp, written_time(now)
    if begin > now + SKEW_SECONDS:
        bound = written_time(now + SKEW_SECONDS)
        if service == S3 and signature.expires is not None:
            raise errors.SignatureError("AccessDenied", "Request is not yet valid")
        raise errors.skewed(service, signature.time, present, bound, is_late=False)
    if signature.expires is not None:
        end = begin + signature.expires
        if now > end:
            if service == S3:
                raise errors.expired_for_s3(end, now, signature.expires)
            raise errors.expired(written_time(end), present)
    elif begin < now - SKEW_SECONDS:
        raise errors.skewed(service, signature.time, present, written_time(now - SKEW_SECONDS), is_late=True)
