"""The header of a picture: its type and size from the first bytes, in agreement with a decoder."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from entrypoints import contract
from predicting import image_header
from predicting.errors import RequestRefusedError
from tests.support.claimed_pictures import PNG_MARK, WEBP_MARK, jpeg, png, webp

MARKS = (b"\xff\xd8\xff", PNG_MARK, WEBP_MARK + b"VP8 ", WEBP_MARK + b"VP8L", WEBP_MARK + b"VP8X")
Way = tuple[str, str, dict[str, Any]]
WAYS: tuple[Way, ...] = (
    ("JPEG", "RGB", {}),
    ("JPEG", "RGB", {"progressive": True}),
    ("JPEG", "L", {"quality": 5}),
    ("JPEG", "CMYK", {}),
    ("JPEG", "RGB", {"exif": b"Exif\0\0" + bytes(5000), "comment": b"\xff\xc0 no frame"}),
    ("PNG", "RGBA", {}),
    ("PNG", "P", {}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGB", {"lossless": True}),
    ("WEBP", "RGBA", {}),
    ("WEBP", "RGBA", {"lossless": True, "exif": b"Exif\0\0" + bytes(50)}),
)


def encoded(kind: str, mode: str, size: tuple[int, int], **options: Any) -> bytes:
    content = io.BytesIO()
    Image.new(mode, size).save(content, kind, **options)
    return content.getvalue()


def refusal(content: bytes) -> RequestRefusedError:
    with pytest.raises(RequestRefusedError) as caught:
        image_header.content_type(content)
    return caught.value


@pytest.mark.parametrize(("kind", "mode", "options"), WAYS)
@pytest.mark.parametrize("size", [(1, 1), (640, 480), (3, 5000)])
def test_type_and_size_agree_with_a_decoder(
    kind: str, mode: str, options: dict[str, Any], size: tuple[int, int]
) -> None:
    content = encoded(kind, mode, size, **options)
    assert image_header.content_type(content) == f"image/{kind.lower()}"
    assert image_header.read_size(content) == size


def test_the_types_are_those_that_the_endpoint_takes() -> None:
    kinds = {image_header.content_type(encoded(kind, "RGB", (8, 8))) for kind in ("JPEG", "PNG", "WEBP")}
    assert kinds == set(contract.PICTURE_TYPES)


@pytest.mark.parametrize("bomb", [png(7072, 7072), png(2**31 - 1, 2**31 - 1), jpeg(65_535, 763), webp(2**24, 2**24)])
def test_a_picture_of_more_pixels_than_fit_is_too_large(bomb: bytes) -> None:
    assert refusal(bomb).status == 413
    assert "pixels" in str(refusal(bomb))


@pytest.mark.parametrize("largest", [png(10_000, 5000), jpeg(50_000, 1000), webp(10_000, 5000)])
def test_as_many_pixels_as_fit_are_fine(largest: bytes) -> None:
    assert image_header.content_type(largest)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"GIF89a" + bytes(20),
        b"BM" + bytes(60),
        b"II*\0" + bytes(60),
        b"%PDF-1.7",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html>",
        b"\x1f\x8b\x08" + bytes(20),
        b"PK\x03\x04" + bytes(20),
        b"\0\0\0\x18ftypheic",
        b"RIFF\0\0\0\0WAVEfmt ",
        b" " + png(8, 8),
    ],
)
def test_other_content_is_refused(content: bytes) -> None:
    assert refusal(content).status == 415


@pytest.mark.parametrize(
    "content",
    [
        *MARKS,
        png(0, 8),
        jpeg(8, 0),
        png(8, 8)[:20],
        PNG_MARK + bytes(4) + b"iCCP" + bytes(20),
        b"\xff\xd8\xff\xda\x00\x02" + jpeg(8, 8)[2:],
        b"\xff\xd8\xff\xd9" + jpeg(8, 8)[2:],
        b"\xff\xd8\xff\x00\x00\x04ab" + jpeg(8, 8)[2:],
        b"\xff\xd8\xff\xe0\x00\x04abc" + jpeg(8, 8)[2:],
        b"\xff\xd8" + b"\xff" * 40,
        WEBP_MARK + b"ALPH" + bytes(40),
        MARKS[2] + bytes(40),
        MARKS[3] + bytes(40),
    ],
)
def test_a_broken_header_is_refused(content: bytes) -> None:
    assert refusal(content).status == 422


@given(st.sampled_from(MARKS), st.binary(max_size=80))
def test_any_bytes_have_a_size_within_the_limit_or_are_refused(mark: bytes, rest: bytes) -> None:
    try:
        image_header.content_type(mark + rest)
    except RequestRefusedError:
        return
    width, height = image_header.read_size(mark + rest)
    assert 0 < width * height <= image_header.MAX_PIXELS


@given(st.sampled_from(WAYS), st.integers(0, 2000))
def test_a_truncated_picture_has_its_real_size_or_none(way: Way, length: int) -> None:
    kind, mode, options = way
    part = encoded(kind, mode, (30, 20), **options)[:length]
    try:
        image_header.content_type(part)
    except RequestRefusedError:
        return
    assert image_header.read_size(part) == (30, 20)


def test_a_million_segments_are_refused_at_once_as_the_endpoint_would_refuse_them() -> None:
    claimed = jpeg(8, 8)
    many = claimed[:2] + b"\xff\xe1\0\2" * 1_000_000 + claimed[2:]
    started = time.perf_counter()
    with pytest.raises(RequestRefusedError, match="no readable size"):
        image_header.content_type(many)
    assert time.perf_counter() - started < 0.2
