"""Bodies in chunks: decoded whatever pieces they come in, verified chunk by chunk, and refused if malformed."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.http.chunked_encoding import ChunkedDecoder, ChunkedEncodingError

ENCODED = b"5;chunk-signature=aa\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc32: AAAA\r\n\r\n"


class RecordedSignatures:
    """Remembers what it should verify."""

    def __init__(self) -> None:
        self.chunks: list[tuple[str, str]] = []
        self.trailers: list[tuple[str, bytes]] = []

    def verify_chunk(self, signature: str, sha256: str) -> None:
        self.chunks.append((signature, sha256))

    def verify_trailer(self, signature: str, trailer: bytes) -> None:
        self.trailers.append((signature, trailer))


def decode(*pieces: bytes) -> tuple[bytes, ChunkedDecoder]:
    decoder = ChunkedDecoder()
    return b"".join(content for piece in pieces for content in decoder.decode(piece)), decoder


@given(cuts=st.lists(st.integers(0, len(ENCODED))))
def test_the_content_does_not_depend_on_the_pieces_that_it_comes_in(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(ENCODED)]
    content, decoder = decode(*(ENCODED[start:end] for start, end in pairwise(places)))
    assert (content, decoder.is_complete, decoder.trailers) == (b"hello!", True, {"x-amz-checksum-crc32": "AAAA"})


def test_what_follows_the_end_is_left() -> None:
    _, decoder = decode(b"0\r\n\r\nGET / HTTP/1.1\r\n")
    assert (decoder.is_complete, decoder.unused) == (True, b"GET / HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "malformed",
    [
        *(b"-5\r\nhello", b"+5\r\nhello", b"0x5\r\nhello", b"5_0\r\n", b" 5\r\n", b"\r\n", b"g\r\n", b"5\nhello"),
        *(b"ffffffffffffffff\r\n", b"5\r\nhello!\r\n", b"1\r\nab\r\n", b"0\r\nno colon\r\n\r\n", b"5;" + b"a" * 5000),
    ],
)
def test_a_malformed_encoding_is_refused(malformed: bytes) -> None:
    with pytest.raises(ChunkedEncodingError):
        decode(malformed)


def test_each_chunk_is_verified_with_its_signature_and_its_hash() -> None:
    signatures = RecordedSignatures()
    decoder = ChunkedDecoder(signatures)
    encoded = b"2;chunk-signature=aa\r\nhi\r\n0;chunk-signature=bb\r\na:1\r\nx-amz-trailer-signature:cc\r\n\r\n"
    assert b"".join(decoder.decode(encoded)) == b"hi"
    assert signatures.chunks == [("aa", hashlib.sha256(b"hi").hexdigest()), ("bb", hashlib.sha256().hexdigest())]
    assert signatures.trailers == [("cc", b"a:1\n")]
