"""Finds out who makes a request: whose key it is signed with, and whether the signature is of that key's secret.

It stands in the chain twice. Before the body comes, all is checked that needs no body: for S3, where a header says what
stands for the body, that is the signature as a whole, and for a form the policy that is signed. After that, the body of
all other requests is a part of it.
"""

from __future__ import annotations

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.s3_address import address
from pedigree.localaws.http.sigv4 import errors, payload, post_policy, post_signature, sigv2, verifier
from pedigree.localaws.http.sigv4.errors import S3
from pedigree.localaws.http.sigv4.parts import RequestParts
from pedigree.localaws.http.sigv4.post_signature import PostSignature
from pedigree.localaws.http.sigv4.signature import Signature
from pedigree.localaws.http.sigv4.sigv2 import QuerySignature
from pedigree.localaws.iam.callers import Callers


class Authentication:
    """Authenticates requests by the keys that IAM and STS have given out, and those of the account's root."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    def identify(self, exchange: Exchange) -> None:
        """Find the caller; ServiceError for an unknown key, or for what is wrong before the body is known."""
        parts, signature = _signed(exchange)
        caller = self._callers.caller_of(signature.key_id, signature.token)
        now = self._callers.now()
        if isinstance(signature, PostSignature):
            post_signature.check(signature, caller.secret)
            _verify_form(exchange, signature, now)
        elif isinstance(signature, QuerySignature):
            sigv2.check(parts, signature, caller.secret, now)
        else:
            verifier.check_current(parts, signature, now)
            if exchange.service == S3:
                exchange.chunk_verifier = _verify_object(parts, signature, caller.secret)
        exchange.caller = caller

    def verify_body(self, exchange: Exchange) -> None:
        """Verify the signature of a request whose body is a part of it."""
        parts, signature = _signed(exchange)
        if exchange.service == S3 or exchange.caller is None or not isinstance(signature, Signature):
            return
        digest = exchange.payload.sha256 if exchange.payload else payload.EMPTY_HASH
        verifier.check_signature(parts, signature, exchange.caller.secret, digest)


def _signed(exchange: Exchange) -> tuple[RequestParts, Signature | QuerySignature | PostSignature]:
    if exchange.signed_parts is None or exchange.signature is None:
        raise errors.missing()
    return exchange.signed_parts, exchange.signature


def _verify_form(exchange: Exchange, signature: PostSignature, now: float) -> None:
    """Compare a form with the policy that its signature covers; what is left is the size of its file."""
    if exchange.form is None:
        raise errors.missing()
    fields = {**exchange.form.fields, "bucket": address(exchange.raw_path).bucket}
    exchange.form.sizes = post_policy.parse(signature.policy).check(fields, now)


def _verify_object(parts: RequestParts, signature: Signature, secret: str) -> payload.ChunkChain | None:
    """Verify a request to S3; what is left to do while its body comes, if that is in signed chunks."""
    declared = payload.declared_hash(parts, signature)
    verifier.check_signature(parts, signature, secret, declared)
    is_chunked = declared in (payload.CHUNKED, payload.CHUNKED_TRAILER)
    return payload.ChunkChain(signature, secret) if is_chunked else None
