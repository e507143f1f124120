"""Reads what a request is signed with: the access key, the region and the service are in the signature's scope.

The signature itself is verified once the secret of its key is known (iam/authentication.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from urllib.parse import unquote

from pedigree.localaws.http.aws_hosts import s3_bucket
from pedigree.localaws.http.exchange import Exchange, Scope
from pedigree.localaws.http.form_reader import begin_form, is_form_upload
from pedigree.localaws.http.protocol.absent_services import absent_service
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.sigv4 import errors, signature, sigv2
from pedigree.localaws.http.sigv4.errors import S3
from pedigree.localaws.http.sigv4.parts import RequestParts
from pedigree.localaws.http.sigv4.signature import ALGORITHM, Signature
from pedigree.localaws.http.sigv4.sigv2 import QuerySignature

_HEADER_VERSION_2 = "AWS "
_SERVICE = re.compile(r"/([^/,\s]+)/aws4_request")
# These describe a presigned request, as do those that begin with x-amz-; they are no parameters of an operation.
_AMAZON = "x-amz-"
_PRESIGNED = frozenset(
    f"{_AMAZON}{word}"
    for word in ("algorithm", "credential", "date", "expires", "signedheaders", "signature", "security-token")
)
_CONDITIONS = frozenset({"if-match", "if-none-match"})
_SIGNATURE_WORDS = frozenset((*(name.lower() for name in sigv2.PARAMETERS), "content-type", "content-md5"))


def signature_reader(services: Container[str], region: str) -> Callable[[Exchange], None]:
    """Reads the signature; ServiceError if there is none, or if it is for none of these services.

    A signature of version 2 names no region: it is for the region of the local AWS. That of a form is among its fields,
    which `form_reader` reads.
    """

    def read_signature(exchange: Exchange) -> None:
        parts = RequestParts(exchange.method, exchange.raw_path, exchange.raw_query, exchange.headers)
        exchange.signed_parts = parts
        if S3 in services and is_form_upload(exchange):
            begin_form(exchange)
            return
        try:
            exchange.signature = _signature(parts)
        except errors.SignatureError:
            exchange.service = _named_service(parts)  # in whose form it is refused
            if exchange.service == S3 and not parts.headers.get("authorization") and not parts.query:
                raise errors.anonymous() from None
            raise
        if "authorization" not in exchange.headers:
            exchange.raw_query = _unsigned_query(exchange.raw_query)
        exchange.scope = _scope(exchange.signature, region)
        scope = exchange.scope.service
        if scope == S3 and "authorization" not in exchange.headers:
            exchange.headers = {**_headers_in_query(parts), **exchange.headers}
        name = absent_service(scope, exchange.method, exchange.raw_path, exchange.query, exchange.headers)
        if name or scope not in services:
            raise ServiceError("UnknownService", f"The local AWS has no service {name or scope}")
        exchange.service = _plane(exchange, scope)

    return read_signature


def _named_service(parts: RequestParts) -> str:
    """The service that a signature seems to be for; empty if it names none."""
    if "AWSAccessKeyId" in parts.parameters or s3_bucket(parts.headers.get("host", "")) is not None:
        return S3
    credential = parts.headers.get("authorization") or unquote(parts.parameters.get("X-Amz-Credential", ""))
    match = _SERVICE.search(credential)
    return match[1] if match else ""


def _signature(parts: RequestParts) -> Signature | QuerySignature:
    header, given = parts.headers.get("authorization"), parts.parameters
    is_presigned = "X-Amz-Algorithm" in given or "X-Amz-Signature" in given
    is_version_2 = "AWSAccessKeyId" in given
    if sum((header is not None, is_presigned, is_version_2)) > 1:
        raise errors.several_mechanisms()
    if is_presigned:
        return signature.from_query(parts)
    if is_version_2:
        return sigv2.from_query(parts)
    if header is None or not header.startswith((ALGORITHM, _HEADER_VERSION_2)):
        raise errors.missing()
    if header.startswith(_HEADER_VERSION_2):
        raise errors.unsupported_mechanism()
    return signature.from_header(parts)


def _scope(read: Signature | QuerySignature, region: str) -> Scope:
    if isinstance(read, QuerySignature):
        return Scope(read.key_id, region, S3)
    return Scope(read.key_id, read.scope.region, read.scope.service)


def _plane(exchange: Exchange, service: str) -> str:
    """SageMaker's two planes sign alike, and only one of them names its operations in a header."""
    is_data_plane = service == "sagemaker" and "x-amz-target" not in exchange.headers
    return "sagemaker-runtime" if is_data_plane else service


def _headers_in_query(parts: RequestParts) -> dict[str, str]:
    """The headers that a client has put into the query of a presigned request, where S3 looks for them as well."""
    names = {name: name.lower() for name in parts.parameters}
    return {
        lower: parts.parameters[name]
        for name, lower in names.items()
        if (lower.startswith(_AMAZON) and lower not in _PRESIGNED) or lower in _CONDITIONS
    }


def _unsigned_query(query: str) -> str:
    """The query of a presigned request without what presigning has added."""
    words = (piece.partition("=")[0].lower() for piece in query.split("&"))
    kept = zip(query.split("&"), words, strict=True)
    return "&".join(piece for piece, word in kept if not _is_of_signature(word))


def _is_of_signature(word: str) -> bool:
    return word in _SIGNATURE_WORDS or word in _CONDITIONS or word.startswith(_AMAZON)
