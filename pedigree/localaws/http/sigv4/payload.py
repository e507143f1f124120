"""What a signature says of the body: its hash, that it is not signed, or that each of its chunks has a signature."""

from __future__ import annotations

import hashlib
import hmac
import re

from pedigree.localaws.http.sigv4 import errors
from pedigree.localaws.http.sigv4.parts import RequestParts
from pedigree.localaws.http.sigv4.signature import Signature
from pedigree.localaws.http.sigv4.verifier import sign, signing_key

UNSIGNED = "UNSIGNED-PAYLOAD"
CHUNKED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
CHUNKED_TRAILER = f"{CHUNKED}-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
EMPTY_HASH = hashlib.sha256().hexdigest()
_HEADER = "x-amz-content-sha256"
_WORDS = (UNSIGNED, CHUNKED, CHUNKED_TRAILER, UNSIGNED_TRAILER)
_HEX = re.compile("[0-9a-f]{64}")


def declared_hash(parts: RequestParts, signature: Signature) -> str:
    """What stands for the body in a signature of S3, which is known before the body comes."""
    declared = parts.headers.get(_HEADER, "")
    if not declared and signature.expires is not None:
        declared = parts.parameters.get("X-Amz-Content-Sha256", UNSIGNED)
    if not declared:
        raise errors.missing_body_hash()
    if declared not in _WORDS and _HEX.fullmatch(declared) is None:
        raise errors.invalid_body_hash()
    return declared


class ChunkChain:
    """The signatures of chunks, each of which signs the one before; the first signs the request's."""

    def __init__(self, signature: Signature, secret: str) -> None:
        self._head = f"{signature.time}\n{signature.scope}"
        self._key = signing_key(secret, signature.scope)
        self._last = signature.value
        self._key_id = signature.key_id

    def verify_chunk(self, signature: str, sha256: str) -> None:
        """Compare the signature of a chunk with the hash of its data."""
        self._verify(f"AWS4-HMAC-SHA256-PAYLOAD\n{self._head}\n{self._last}\n{EMPTY_HASH}\n{sha256}", signature)

    def verify_trailer(self, signature: str, trailer: bytes) -> None:
        """Compare the signature of the headers after the last chunk."""
        digest = hashlib.sha256(trailer).hexdigest()
        self._verify(f"AWS4-HMAC-SHA256-TRAILER\n{self._head}\n{self._last}\n{digest}", signature)

    def _verify(self, text: str, signature: str) -> None:
        computed = sign(self._key, text)
        if not hmac.compare_digest(computed.encode(), signature.encode()):
            raise errors.mismatch_for_s3(self._key_id, signature, text)
        self._last = computed
