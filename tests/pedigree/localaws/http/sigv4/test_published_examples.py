"""AWS's published examples of signatures: the Signature Version 4 test suite, and those in the documentation of S3.

The keys are the ones that AWS's documentation uses. Nothing in these examples is computed here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.sigv4 import payload, sigv2, verifier
from pedigree.localaws.http.sigv4.canonical import canonical_request
from pedigree.localaws.http.sigv4.parts import RequestParts
from pedigree.localaws.http.sigv4.signature import Signature, from_header, from_query

FILE = Path(__file__).parents[4] / "fixtures" / "sigv4" / "published.json"
SUITE: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = dt.datetime(2015, 8, 30, 12, 36, tzinfo=dt.timezone.utc).timestamp()
TIME, SCOPE = "20150830T123600Z", "20150830/us-east-1/service/aws4_request"
EMPTY = payload.EMPTY_HASH


def request(example: Mapping[str, Any]) -> RequestParts:
    method, _, target = example["request"].partition(" ")
    path, _, query = target.partition("?")
    return RequestParts(method, path, query, example["headers"])


def with_header(example: Mapping[str, Any]) -> RequestParts:
    """The request of an example, signed in its header."""
    parts, names = request(example), example["canonical request"][-2]
    value = f"Credential={KEY_ID}/{SCOPE}, SignedHeaders={names}, Signature={example['signature']}"
    token = {"x-amz-security-token": example["token"]} if "token" in example else {}
    headers = {**parts.headers, **token, "x-amz-date": TIME, "authorization": f"AWS4-HMAC-SHA256 {value}"}
    return RequestParts(parts.method, parts.path, parts.query, headers)


def with_query(example: Mapping[str, Any]) -> RequestParts:
    """The request of an example, presigned for an hour."""
    parts = request(example)
    headers = {name: value for name, value in parts.headers.items() if name != "x-amz-content-sha256"}
    words = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{KEY_ID}/{SCOPE}",
        "X-Amz-Date": TIME,
        "X-Amz-SignedHeaders": ";".join(sorted(headers)),
        "X-Amz-Expires": "3600",
        **({"X-Amz-Security-Token": example["token"]} if "token" in example else {}),
        "X-Amz-Signature": example["presigned signature"],
    }
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in words.items())
    return RequestParts(parts.method, parts.path, f"{parts.query}&{query}" if parts.query else query, headers)


def is_signed_by(parts: RequestParts, signature: Signature, body: str, service: str) -> bool:
    """Whether the canonical request of a service has the signature of an example."""
    digest = hashlib.sha256(body.encode()).hexdigest()
    canonical = canonical_request(parts, signature.signed_headers, digest, service)
    text = f"AWS4-HMAC-SHA256\n{signature.time}\n{signature.scope}\n{hashlib.sha256(canonical).hexdigest()}"
    return verifier.sign(verifier.signing_key(SECRET, signature.scope), text) == signature.value


def names(examples: list[dict[str, Any]]) -> list[str]:
    return [example["name"] for example in examples]


def path_rules(example: Mapping[str, Any]) -> str:
    """A service that treats paths as the example does."""
    return "service" if example.get("path is normalized", True) else "s3"


def test_the_whole_suite_is_here() -> None:
    assert len(SUITE) == 38


@pytest.mark.parametrize("example", SUITE, ids=names(SUITE))
def test_the_suite_signed_in_the_header_is_accepted(example: dict[str, Any]) -> None:
    parts = with_header(example)
    signature = from_header(parts)
    verifier.check_current(parts, signature, NOW)
    digest = hashlib.sha256(example.get("body", "").encode()).hexdigest()
    canonical = canonical_request(parts, signature.signed_headers, digest, path_rules(example))
    assert canonical.decode("latin-1") == "\n".join(example["canonical request"])
    assert is_signed_by(parts, signature, example.get("body", ""), path_rules(example))
    if path_rules(example) == "service":
        verifier.check_signature(parts, signature, SECRET, digest)


PRESIGNED = [example for example in SUITE if "presigned signature" in example]


@pytest.mark.parametrize("example", PRESIGNED, ids=names(PRESIGNED))
def test_the_suite_signed_in_the_query_is_accepted(example: dict[str, Any]) -> None:
    parts = with_query(example)
    signature = from_query(parts)
    assert (signature.expires, signature.token) == (3600, example.get("token", ""))
    verifier.check_current(parts, signature, NOW)
    assert is_signed_by(parts, signature, example.get("body", ""), path_rules(example))


S3_KEY, S3_SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
S3_NOW = dt.datetime(2013, 5, 24, tzinfo=dt.timezone.utc).timestamp()
S3_SCOPE = "20130524/us-east-1/s3/aws4_request"
_WELCOME = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
S3_EXAMPLES: dict[str, tuple[str, Mapping[str, str], str]] = {
    "GET an object": (
        "GET /test.txt",
        {"range": "bytes=0-9", "x-amz-content-sha256": EMPTY},
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    "PUT an object": (
        "PUT /test%24file.text",
        {
            "date": "Fri, 24 May 2013 00:00:00 GMT",
            "x-amz-content-sha256": _WELCOME,
            "x-amz-storage-class": "REDUCED_REDUNDANCY",
        },
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
    "GET a bucket's lifecycle": (
        "GET /?lifecycle",
        {"x-amz-content-sha256": EMPTY},
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
    "GET a bucket's objects": (
        "GET /?max-keys=2&prefix=J",
        {"x-amz-content-sha256": EMPTY},
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
}


def s3_request(first: str, headers: Mapping[str, str], value: str) -> RequestParts:
    whole = {"host": "examplebucket.s3.amazonaws.com", "x-amz-date": "20130524T000000Z", **headers}
    authorization = f"Credential={S3_KEY}/{S3_SCOPE},SignedHeaders={';'.join(sorted(whole))},Signature={value}"
    return request({"request": first, "headers": {**whole, "authorization": f"AWS4-HMAC-SHA256 {authorization}"}})


@pytest.mark.parametrize("name", S3_EXAMPLES)
def test_the_examples_of_s3_are_accepted(name: str) -> None:
    first, headers, value = S3_EXAMPLES[name]
    parts = s3_request(first, headers, value)
    signature = from_header(parts)
    verifier.check_current(parts, signature, S3_NOW)
    verifier.check_signature(parts, signature, S3_SECRET, headers["x-amz-content-sha256"])


def test_the_presigned_example_of_s3_is_accepted() -> None:
    query = (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )
    parts = RequestParts("GET", "/test.txt", query, {"host": "examplebucket.s3.amazonaws.com"})
    signature = from_query(parts)
    verifier.check_current(parts, signature, S3_NOW + 86_400)
    verifier.check_signature(parts, signature, S3_SECRET, payload.UNSIGNED)


CHUNKS = (b"a" * 65_536, b"a" * 1024, b"")
TRAILER = b"x-amz-checksum-crc32c:sOO8/Q==\n"
CHUNKED: Mapping[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    payload.CHUNKED: (
        {"content-length": "66824"},
        (
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
        ),
    ),
    payload.CHUNKED_TRAILER: (
        {"x-amz-trailer": "x-amz-checksum-crc32c"},
        (
            "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
            "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
            "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
            "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
            "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
        ),
    ),
}


def upload(declared: str) -> RequestParts:
    """A request of S3's documentation whose body comes in signed chunks."""
    more, (seed, *_) = CHUNKED[declared]
    headers = {
        "content-encoding": "aws-chunked",
        "x-amz-content-sha256": declared,
        "x-amz-decoded-content-length": "66560",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
        "host": "s3.amazonaws.com",
        **more,
    }
    return s3_request("PUT /examplebucket/chunkObject.txt", headers, seed)


def verify_chunks(declared: str, chunks: Sequence[bytes], trailer: bytes) -> None:
    """Verify a whole upload of S3's documentation."""
    parts, signatures = upload(declared), CHUNKED[declared][1][1:]
    signature = from_header(parts)
    verifier.check_current(parts, signature, S3_NOW)
    verifier.check_signature(parts, signature, S3_SECRET, payload.declared_hash(parts, signature))
    chain = payload.ChunkChain(signature, S3_SECRET)
    for value, chunk in zip(signatures, chunks, strict=False):
        chain.verify_chunk(value, hashlib.sha256(chunk).hexdigest())
    for value in signatures[len(CHUNKS) :]:
        chain.verify_trailer(value, trailer)


@pytest.mark.parametrize("declared", CHUNKED)
def test_the_chunked_uploads_of_s3_are_accepted(declared: str) -> None:
    verify_chunks(declared, CHUNKS, TRAILER)


@pytest.mark.parametrize("declared", CHUNKED)
@pytest.mark.parametrize(
    "chunks",
    [
        (b"b" + CHUNKS[0][1:], *CHUNKS[1:]),
        (CHUNKS[0] + b"a", CHUNKS[1][1:], b""),
        (CHUNKS[1], CHUNKS[0], b""),
        (CHUNKS[0], b""),
        (*CHUNKS[:2], b"more"),
    ],
)
def test_a_changed_chunked_upload_is_refused(declared: str, chunks: tuple[bytes, ...]) -> None:
    with pytest.raises(ServiceError, match="does not match the signature you provided"):
        verify_chunks(declared, chunks, TRAILER)


def test_a_changed_trailer_is_refused() -> None:
    for changed in (TRAILER.replace(b"sOO8", b"sOO9"), b""):
        with pytest.raises(ServiceError, match="does not match the signature you provided"):
            verify_chunks(payload.CHUNKED_TRAILER, CHUNKS, changed)


def test_the_presigned_example_of_version_2_is_accepted() -> None:
    query = f"AWSAccessKeyId={S3_KEY}&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620"
    parts = RequestParts("GET", "/johnsmith/photos/puppy.jpg", query, {"host": "s3.amazonaws.com"})
    signature = sigv2.from_query(parts)
    sigv2.check(parts, signature, S3_SECRET, 1_175_139_620)
    with pytest.raises(ServiceError, match="Request has expired"):
        sigv2.check(parts, signature, S3_SECRET, 1_175_139_621)
