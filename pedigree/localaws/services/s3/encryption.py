"""How an object says that it is encrypted. Nothing is encrypted here: what AWS would answer is kept and given back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import S3Error, bad_request
from pedigree.localaws.kernel.store import Document

AES256 = "AES256"
_KMS = ("aws:kms", "aws:kms:dsse")
_PREFIX = "x-amz-server-side-encryption"
_KEY = f"{_PREFIX}-aws-kms-key-id"
_BUCKET_KEY = f"{_PREFIX}-bucket-key-enabled"
_CUSTOMER = f"{_PREFIX}-customer-"
COPIED_CUSTOMER = "x-amz-copy-source-server-side-encryption-customer-"
_KEY_BYTES = 32
_STORED_SO = (
    "The object was stored using a form of Server Side Encryption. "
    "The correct parameters must be provided to retrieve the object."
)
_CUSTOMER_WORDS = "Requests specifying Server Side Encryption with Customer provided keys must provide"


def requested(headers: Mapping[str, str], default: str, owner: tuple[str, str]) -> Document:
    """The members that say how a new object is encrypted; the owner is a region and an account.

    The default is the text of the bucket's encryption configuration.
    """
    algorithm = headers.get(_PREFIX)
    if algorithm is not None and f"{_CUSTOMER}algorithm" in headers:
        words = "Server Side Encryption with Customer provided key is incompatible with the encryption method"
        raise _invalid(f"{words} specified", ArgumentValue=algorithm)
    customer = _customer(headers, _CUSTOMER)
    if customer:
        return {"encryption": {"customer": customer}, "etag": _etag()}
    if algorithm is None:
        return _by_default(default, owner) if default else {}
    if algorithm not in (AES256, *_KMS):
        raise _invalid("The encryption method specified is not supported", ArgumentValue=algorithm)
    key = headers.get(_KEY, "")
    has_bucket_key = headers.get(_BUCKET_KEY, str(_has_bucket_key(default))).lower() == "true"
    if algorithm == AES256 and key:
        words = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption"
        raise _invalid(f"{words} : aws:kms", ArgumentValue=algorithm)
    return _with_key(algorithm, key, owner, has_bucket_key=has_bucket_key)


def answer_headers(body: Document) -> dict[str, str]:
    """The headers that say how an object or an upload is encrypted."""
    encryption: Mapping[str, Any] = body.get("encryption", {})
    if "customer" in encryption:
        return {f"{_CUSTOMER}algorithm": AES256, f"{_CUSTOMER}key-md5": encryption["customer"]}
    headers = {_PREFIX: str(encryption.get("algorithm", AES256))}
    if encryption.get("key"):
        headers[_KEY] = encryption["key"]
    if encryption.get("bucket_key"):
        headers[_BUCKET_KEY] = "true"
    return headers


def check_read(headers: Mapping[str, str], body: Document, prefix: str = _CUSTOMER) -> None:
    """S3Error for a reader who does not give the key that the object was stored with."""
    stored = body.get("encryption", {}).get("customer", "")
    given = _customer(headers, prefix, is_read=True)
    if not stored:
        if given:
            raise bad_request("The encryption parameters are not applicable to this object.")
        return
    if not given:
        raise bad_request(_STORED_SO)
    if given != stored:
        words = f"{_CUSTOMER_WORDS} the correct secret key."
        raise S3Error("AccessDenied", words, 403)


def check_part(headers: Mapping[str, str], upload: Document) -> None:
    """S3Error for a part that does not come with the key of its upload."""
    stored = upload.get("members", {}).get("encryption", {}).get("customer", "")
    given = _customer(headers, _CUSTOMER)
    if bool(stored) != bool(given):
        words = "The multipart upload initiate requested encryption. "
        raise bad_request(f"{words}Subsequent part requests must include the appropriate encryption parameters.")
    if stored != given:
        raise bad_request("The provided encryption parameters did not match the ones used originally.")


def is_customers(body: Document) -> bool:
    """Whether only the client has the key."""
    return "customer" in body.get("encryption", {})


def _by_default(text: str, owner: tuple[str, str]) -> Document:
    rule = xml.parse(text.encode()).find("Rule")
    algorithm = rule.findtext("ApplyServerSideEncryptionByDefault/SSEAlgorithm", AES256) if rule is not None else AES256
    if rule is None or algorithm == AES256:
        return {}
    key = rule.findtext("ApplyServerSideEncryptionByDefault/KMSMasterKeyID", "")
    return _with_key(algorithm, key, owner, has_bucket_key=_has_bucket_key(text))


def _has_bucket_key(text: str) -> bool:
    """Whether a bucket uses a key of its own for its objects."""
    return bool(text) and xml.parse(text.encode()).findtext("Rule/BucketKeyEnabled", "").lower() == "true"


def _etag() -> str:
    """An ETag that says nothing of the content, as S3 has it for all that it encrypts with other keys than its own."""
    return secrets.token_hex(16)


def _with_key(algorithm: str, key: str, owner: tuple[str, str], *, has_bucket_key: bool) -> Document:
    if algorithm == AES256:
        return {}
    region, account = owner
    managed = str(uuid.uuid5(uuid.NAMESPACE_URL, f"arn:aws:kms:{region}:{account}:alias/aws/s3"))
    arn = key if key.startswith("arn:") else f"arn:aws:kms:{region}:{account}:key/{key or managed}"
    encryption = {"algorithm": algorithm, "key": arn, "bucket_key": has_bucket_key}
    return {"encryption": encryption, "etag": _etag()}


def _customer(headers: Mapping[str, str], prefix: str, *, is_read: bool = False) -> str:
    """The MD5 of a key that the client keeps, in base64; empty if the request has none."""
    algorithm, key, md5 = (headers.get(f"{prefix}{name}") for name in ("algorithm", "key", "key-md5"))
    if algorithm is None and key is None:
        return ""
    if algorithm is None:
        raise _invalid(f"{_CUSTOMER_WORDS} a valid encryption algorithm.")
    if algorithm != AES256:
        message = "The Encryption request you specified is not valid. Supported value: AES256."
        raise S3Error("InvalidEncryptionAlgorithmError", message, 400, ArgumentName=_PREFIX, ArgumentValue=algorithm)
    if key is None:
        raise _invalid(f"{_CUSTOMER_WORDS} an appropriate secret key.")
    if not md5 and is_read:
        raise S3Error("AccessDenied", f"{_CUSTOMER_WORDS} the correct secret key.", 403)
    secret = _decoded(key)
    if not md5 or len(secret) != _KEY_BYTES:
        raise _invalid("The secret key was invalid for the specified algorithm.")
    computed = base64.b64encode(hashlib.md5(secret, usedforsecurity=False).digest()).decode()
    if computed != md5:
        raise _invalid("The calculated MD5 hash of the key did not match the hash that was provided.")
    return computed


def _decoded(key: str) -> bytes:
    try:
        return base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _invalid(message: str, **details: str) -> S3Error:
    return S3Error("InvalidArgument", message, 400, ArgumentName=_PREFIX, **details)
