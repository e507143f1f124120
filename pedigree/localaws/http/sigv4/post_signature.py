"""The signature of a form for S3: it covers the policy among its fields, and the policy says what else the form may be.

Version 4 as AWS documents it, and version 2, with which boto3 signs forms by default.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from pedigree.localaws.http.protocol.s3_form import lacking
from pedigree.localaws.http.sigv4 import errors
from pedigree.localaws.http.sigv4.errors import S3
from pedigree.localaws.http.sigv4.signature import ALGORITHM, CredentialScope, checked_time, credential
from pedigree.localaws.http.sigv4.verifier import sign, signing_key

_VERSION_4 = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature")
_VERSION_2 = ("AWSAccessKeyId", "Signature")
_POLICY = "policy"
UNSIGNED_FIELDS = frozenset({_POLICY, "file", "x-amz-signature", *(name.lower() for name in _VERSION_2)})
"""Fields that a policy need not name."""


@dataclass(frozen=True)
class PostSignature:
    """A signature of a policy; version 2 has no scope."""

    key_id: str
    policy: str
    value: str
    token: str = ""
    scope: CredentialScope | None = None


def from_fields(fields: Mapping[str, str]) -> PostSignature:
    """The signature in a form; AccessDenied for a form without one."""
    if any(name.lower() in fields for name in _VERSION_4):
        _require(fields, *_VERSION_4, _POLICY)
        return _version_4(fields)
    if any(name.lower() in fields for name in _VERSION_2):
        _require(fields, *_VERSION_2, _POLICY)
        key_id, value = (fields[name.lower()] for name in _VERSION_2)
        return PostSignature(key_id, fields[_POLICY], value, fields.get("x-amz-security-token", ""))
    raise errors.anonymous()


def check(signature: PostSignature, secret: str) -> None:
    """Compare the signature with the one that the secret makes of the policy."""
    if signature.scope is None:
        digest = hmac.digest(secret.encode(), signature.policy.encode(), "sha1")
        computed = base64.b64encode(digest).decode()
    else:
        computed = sign(signing_key(secret, signature.scope), signature.policy)
    if not hmac.compare_digest(computed.encode(), signature.value.encode()):
        raise errors.mismatch_for_s3(signature.key_id, signature.value, signature.policy)


def _require(fields: Mapping[str, str], *names: str) -> None:
    for name in names:
        if not fields.get(name.lower()):
            raise lacking(name)


def _version_4(fields: Mapping[str, str]) -> PostSignature:
    algorithm, written, time, value = (fields[name.lower()] for name in _VERSION_4)
    if algorithm != ALGORITHM:
        raise errors.SignatureError("InvalidArgument", f"X-Amz-Algorithm only supports {ALGORITHM}", 400)
    key_id, scope = credential(written)
    if scope.service != S3:
        raise errors.malformed(f'incorrect service "{scope.service}". This endpoint belongs to "{S3}".')
    if scope.date != checked_time(time)[:8]:
        raise errors.wrong_scope_date(S3, scope.date, time)
    return PostSignature(key_id, fields[_POLICY], value, fields.get("x-amz-security-token", ""), scope)
