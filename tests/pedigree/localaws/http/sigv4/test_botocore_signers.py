"""Whatever botocore signs is accepted; whatever is changed of it after that is refused."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.sigv4 import payload, sigv2, verifier
from pedigree.localaws.http.sigv4.canonical import canonical_path, canonical_query
from pedigree.localaws.http.sigv4.parts import RequestParts
from pedigree.localaws.http.sigv4.signature import from_header, from_query
from tests.support.malformed.wire import SERVICES, scope

SCOPES = sorted({scope(service) for service in SERVICES})
RULES = ("s3", "lambda")  # each stands for all services with its rules
REGION, HOST = "eu-west-1", "127.0.0.1:4566"
KEY_ID, SECRET, TOKEN = "AKIAEXAMPLE", "a/secret+", "a+token/="
_TEXT = st.text(max_size=12)
_PATHS = st.lists(_TEXT, max_size=4).map(lambda names: "/" + "/".join(names))
_QUERIES = st.dictionaries(_TEXT.filter(bool), _TEXT, max_size=4)
_VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=10)
_HEADERS = st.dictionaries(
    st.sampled_from(("X-Amz-Meta-A", "X-Amz-Target", "Content-Type", "X-Custom", "Content-MD5")),
    st.lists(_VALUES, min_size=1, max_size=3).map("  ".join),
)


@dataclass(frozen=True)
class Sent:
    """A request as the local AWS gets it."""

    parts: RequestParts
    body: bytes
    service: str


@st.composite
def unsigned(draw: st.DrawFn) -> AWSRequest:
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in draw(_QUERIES).items())
    url = f"http://{HOST}{quote(draw(_PATHS), safe='/~')}"
    method = draw(st.sampled_from(("GET", "PUT", "POST", "DELETE", "HEAD", "PATCH")))
    return AWSRequest(method, f"{url}?{query}" if query else url, draw(_HEADERS), draw(st.binary(max_size=20)))


def sent(request: AWSRequest, service: str) -> Sent:
    url = urlsplit(request.prepare().url)
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    parts = RequestParts(request.method, url.path, url.query, {"host": HOST, **headers})
    return Sent(parts, request.data or b"", service)


def verify(given: Sent, secret: str = SECRET, now: float | None = None) -> None:
    """What the local AWS does with a request that has come as a whole."""
    parts = given.parts
    signature = from_header(parts) if "authorization" in parts.headers else from_query(parts)
    if signature.key_id != KEY_ID or signature.scope.service != given.service:
        raise ServiceError("Refused", "another key, or another service")
    verifier.check_current(parts, signature, time.time() if now is None else now)
    digest = hashlib.sha256(given.body).hexdigest()
    declared = payload.declared_hash(parts, signature) if given.service == "s3" else digest
    verifier.check_signature(parts, signature, secret, declared)
    if declared not in (payload.UNSIGNED, digest):
        raise ServiceError("Refused", "another body")


def sign(request: AWSRequest, service: str, *, presigned: bool, token: str = "") -> Sent:
    signers: Mapping[tuple[bool, bool], Any] = {
        (False, False): SigV4Auth,
        (False, True): SigV4QueryAuth,
        (True, False): S3SigV4Auth,
        (True, True): S3SigV4QueryAuth,
    }
    signer = signers[service == "s3", presigned]
    if presigned:
        request.data = b""  # botocore moves a body into the query
    signer(Credentials(KEY_ID, SECRET, token or None), service, REGION).add_auth(request)
    return sent(request, service)


@pytest.mark.parametrize("presigned", [False, True])
@pytest.mark.parametrize("service", SCOPES)
@settings(max_examples=settings().max_examples // 3)
@given(request=unsigned(), token=st.sampled_from(("", TOKEN)))
def test_whatever_botocore_signs_is_accepted(service: str, presigned: bool, request: AWSRequest, token: str) -> None:
    verify(sign(request, service, presigned=presigned, token=token))


def _changed_header(name: str, value: str) -> Callable[[Sent], Sent]:
    return lambda given: replace(
        given, parts=replace(given.parts, headers={**given.parts.headers, name: value + given.parts.headers[name]})
    )


def changes(given: Sent) -> Mapping[str, Sent]:
    """Other requests under the same signature."""
    parts = given.parts
    signature = from_header(parts) if "authorization" in parts.headers else from_query(parts)
    by_header = {
        f"header {name}": _changed_header(name, "x")(given)
        for name in signature.signed_headers
        if name in parts.headers
    }
    more = replace(parts, headers={**parts.headers, "x-amz-acl": "public-read"})
    return {
        **by_header,
        "method": replace(given, parts=replace(parts, method="PUT" if parts.method != "PUT" else "POST")),
        "a longer path": replace(given, parts=replace(parts, path=f"{parts.path}x")),
        "another path": replace(given, parts=replace(parts, path="/elsewhere")),
        "one more parameter": replace(given, parts=replace(parts, query=f"{parts.query}&more=1".lstrip("&"))),
        "one more header of AWS": replace(given, parts=more),
        "another service": replace(given, service="iam" if given.service != "iam" else "s3"),
    }


@pytest.mark.parametrize("presigned", [False, True])
@pytest.mark.parametrize("service", RULES)
@given(request=unsigned(), data=st.data())
def test_whatever_is_changed_after_that_is_refused(
    service: str, presigned: bool, request: AWSRequest, data: st.DataObject
) -> None:
    given = sign(request, service, presigned=presigned)
    changed = changes(given)
    with pytest.raises(ServiceError):
        verify(changed[data.draw(st.sampled_from(sorted(changed)))])


@pytest.mark.parametrize("service", RULES)
@given(request=unsigned(), other=unsigned())
def test_a_signature_fits_no_other_request(service: str, request: AWSRequest, other: AWSRequest) -> None:
    own, foreign = sign(request, service, presigned=False).parts, sent(other, service).parts
    is_same_path = canonical_path(own.path, service) == canonical_path(foreign.path, service)
    is_same_query = canonical_query(own.query) == canonical_query(foreign.query)
    assume(not (is_same_path and is_same_query and own.method == foreign.method))
    moved = replace(own, method=foreign.method, path=foreign.path, query=foreign.query)
    with pytest.raises(ServiceError, match="does not match the signature you provided"):
        verify(Sent(moved, request.data, service))


@pytest.mark.parametrize("service", RULES)
@given(request=unsigned(), body=st.binary(max_size=20))
def test_another_body_is_refused(service: str, request: AWSRequest, body: bytes) -> None:
    assume(body != request.data)
    with pytest.raises(ServiceError):
        verify(replace(sign(request, service, presigned=False), body=body))


@pytest.mark.parametrize("presigned", [False, True])
@pytest.mark.parametrize("service", RULES)
@given(request=unsigned(), secret=_VALUES)
def test_another_secret_is_refused(service: str, presigned: bool, request: AWSRequest, secret: str) -> None:
    with pytest.raises(ServiceError, match="does not match the signature you provided"):
        verify(sign(request, service, presigned=presigned), secret)


@given(request=unsigned(), token=st.sampled_from(("", TOKEN)))
def test_what_botocore_presigns_for_s3_by_default_is_accepted(request: AWSRequest, token: str) -> None:
    HmacV1QueryAuth(Credentials(KEY_ID, SECRET, token or None)).add_auth(request)
    parts = sent(request, "s3").parts
    # The client sends these itself, as they were signed.
    headers = {name: value for name, value in parts.headers.items() if not name.startswith("x-amz-")}
    received = replace(parts, headers=headers)
    signature = sigv2.from_query(received)
    assert (signature.key_id, signature.token) == (KEY_ID, token)
    sigv2.check(received, signature, SECRET, time.time())
    for changed in (
        replace(received, method="PATCH" if received.method != "PATCH" else "PUT"),
        replace(received, path=f"{received.path}x"),
        replace(received, query=f"{received.query}&versionId=1"),
        replace(received, headers={**headers, "content-type": "changed"}),
        replace(received, headers={**headers, "x-amz-acl": "public-read"}),
    ):
        with pytest.raises(ServiceError, match="does not match the signature you provided"):
            sigv2.check(changed, signature, SECRET, time.time())
    with pytest.raises(ServiceError, match="Request has expired"):
        sigv2.check(received, signature, SECRET, time.time() + 3700)
