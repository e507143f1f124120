"""The checksums that clients of S3 send with a body: in a header, or in a trailer after it.

Each expected value is a Check, which the body updates piece by piece while it is read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from pedigree.localaws.http.protocol.s3_errors import S3Error

PREFIX = "x-amz-checksum-"
_DEFAULT = "crc64nvme"
_SHA256_HEADER = "x-amz-content-sha256"
_UNHASHED = ("UNSIGNED-PAYLOAD", "STREAMING-")


class Digest(Protocol):
    """Computes a checksum piece by piece."""

    def update(self, piece: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class Crc32:
    """zlib's CRC-32."""

    def __init__(self) -> None:
        self._state = 0

    def update(self, piece: bytes) -> None:
        self._state = zlib.crc32(piece, self._state)

    def digest(self) -> bytes:
        return self._state.to_bytes(4, "big")


def _crc32c() -> Digest:
    from pedigree.localaws.http import crc  # numpy takes a tenth of a second, which no other request needs

    return crc.Crc(crc.CRC32C, 32)


def _crc64nvme() -> Digest:
    from pedigree.localaws.http import crc

    return crc.Crc(crc.CRC64NVME, 64)


def md5() -> Digest:
    """The hash of ETags and Content-MD5."""
    return hashlib.md5(usedforsecurity=False)


ALGORITHMS: Mapping[str, Callable[[], Digest]] = {
    "crc32": Crc32,
    "crc32c": _crc32c,
    "crc64nvme": _crc64nvme,
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}
_SIZES = {"crc32": 4, "crc32c": 4, "crc64nvme": 8, "sha1": 20, "sha256": 32}


class Check:
    """Compares the checksum of a body with the one that the client sent."""

    def __init__(self, digest: Digest, expected: bytes | None, mismatch: S3Error) -> None:
        self._digest = digest
        self.expected = expected
        self._mismatch = mismatch
        self.update = digest.update

    @property
    def text(self) -> str:
        """The checksum as headers have it."""
        return encoded(self._digest)

    def verify(self) -> None:
        """Raise S3's error if the body is not what the client sent."""
        if self.expected is not None and self._digest.digest() != self.expected:
            raise self._mismatch


class Md5Check(Check):
    """Compares Content-MD5; its error says both values."""

    def verify(self) -> None:
        """Raise S3's error if the body is not what the client sent."""
        if self.expected is not None:
            self._mismatch.details = {"ExpectedDigest": self.expected.hex(), "CalculatedDigest": self.text}
        super().verify()


def encoded(digest: Digest) -> str:
    """A checksum as headers have it."""
    return base64.b64encode(digest.digest()).decode()


def header_checks(headers: Mapping[str, str]) -> Iterator[Check]:
    """The checks of Content-MD5 and x-amz-content-sha256."""
    content_md5, sha256 = headers.get("content-md5"), headers.get(_SHA256_HEADER, _UNHASHED[0])
    if content_md5 is not None:
        expected = _decoded(content_md5, 16)
        if expected is None:
            words = "The Content-MD5 you specified was invalid."
            raise S3Error("InvalidDigest", words, 400, **{"Content-MD5": content_md5})
        wrong = S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.", 400)
        yield Md5Check(md5(), expected, wrong)
    if not sha256.startswith(_UNHASHED):
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        wrong = S3Error("XAmzContentSHA256Mismatch", message, 400)
        yield Check(hashlib.sha256(), _payload_hash(sha256), wrong)


def content_check(headers: Mapping[str, str]) -> tuple[str, Check] | None:
    """The algorithm and the check of the one additional checksum, whose value may come in a trailer."""
    names = [name for name in headers if name.removeprefix(PREFIX) in ALGORITHMS and name.startswith(PREFIX)]
    trailing = headers.get("x-amz-trailer", "").strip().lower()
    if trailing and trailing.removeprefix(PREFIX) not in ALGORITHMS:
        raise _invalid("The value specified in the x-amz-trailer header is not supported")
    if len(names) + bool(trailing) > 1:
        raise _invalid("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
    if not names and not trailing:
        if "x-amz-sdk-checksum-algorithm" in headers:
            words = "no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
            raise _invalid(f"x-amz-sdk-checksum-algorithm specified, but {words}")
        return None
    algorithm = (trailing or names[0]).removeprefix(PREFIX)
    wrong = f"The {algorithm.upper()} you specified did not match the calculated checksum."
    expected = None if trailing else value(algorithm, headers[names[0]])
    return algorithm, Check(ALGORITHMS[algorithm](), expected, S3Error("BadDigest", wrong, 400))


def default_check() -> tuple[str, Check]:
    """What computes the checksum that S3 adds to a content that comes without one."""
    return _DEFAULT, Check(ALGORITHMS[_DEFAULT](), None, _invalid("The content has no checksum."))


def value(algorithm: str, text: str) -> bytes:
    """The value of a checksum's header or trailer."""
    decoded = _decoded(text, _SIZES[algorithm])
    if decoded is None:
        raise _invalid(f"Value for {PREFIX}{algorithm} header is invalid.")
    return decoded


def _payload_hash(text: str) -> bytes:
    try:
        decoded = bytes.fromhex(text)
    except ValueError:
        decoded = b""
    if len(decoded) != hashlib.sha256().digest_size:
        raise S3Error(
            "InvalidArgument",
            f"{_SHA256_HEADER} must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, or a valid sha256 value.",
            400,
        )
    return decoded


def _decoded(text: str, size: int) -> bytes | None:
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if len(decoded) == size else None


def _invalid(message: str) -> S3Error:
    return S3Error("InvalidRequest", message, 400)
