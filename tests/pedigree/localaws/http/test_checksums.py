"""Checksums: the published check values, whatever pieces a body comes in."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.http.checksums import ALGORITHMS

# The checksums of "123456789", by which implementations are compared.
CHECK_VALUES = {"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888"}


@pytest.mark.parametrize(("algorithm", "value"), CHECK_VALUES.items())
def test_a_crc_has_its_published_check_value(algorithm: str, value: str) -> None:
    digest = ALGORITHMS[algorithm]()
    digest.update(b"123456789")
    assert digest.digest().hex() == value


@pytest.mark.parametrize("algorithm", ["crc32c", "crc64nvme"])
@given(content=st.binary(max_size=300), times=st.integers(1, 400), piece=st.integers(1, 70_000))
def test_a_crc_does_not_depend_on_the_pieces(algorithm: str, content: bytes, times: int, piece: int) -> None:
    whole, pieces, body = ALGORITHMS[algorithm](), ALGORITHMS[algorithm](), content * times
    whole.update(body)
    for start in range(0, len(body), piece):
        pieces.update(body[start : start + piece])
    assert pieces.digest() == whole.digest()


def test_a_crc_of_many_zeros_is_the_one_of_a_loop_over_bytes() -> None:
    """The checksums of 1 MiB of zeros and a byte, as a loop over its bytes computes them."""
    expected = {"crc32c": _by_bytes(0x82F63B78, 32), "crc64nvme": _by_bytes(0x9A6C9329AC4BC9B5, 64)}
    for algorithm, value in expected.items():
        digest = ALGORITHMS[algorithm]()
        digest.update(bytes(1 << 16) + b"x")
        assert base64.b64encode(digest.digest()) == base64.b64encode(value)


def _by_bytes(polynomial: int, bits: int) -> bytes:
    ones = (1 << bits) - 1
    state = ones
    for byte in bytes(1 << 16) + b"x":
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (polynomial & -(state & 1))
    return (state ^ ones).to_bytes(bits // 8, "big")
