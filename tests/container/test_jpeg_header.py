"""JPEGs that would keep a decoder busy for minutes are refused in milliseconds; what cameras write is not."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import jpeg_header
import pictures
from errors import DataError

PICTURE = Image.new("RGB", (64, 48), "red")


def saved(**options: object) -> bytes:
    buffer = io.BytesIO()
    PICTURE.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def with_segments(count: int, content: bytes = b"") -> bytes:
    """A JPEG with more segments before its pixels."""
    segment = b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content
    plain = saved()
    return plain[:2] + segment * count + plain[2:]


def with_scans(count: int) -> bytes:
    plain = saved(progressive=True)
    start = plain.rindex(b"\xff\xda")
    return plain[:-2] + plain[start:-2] * count + plain[-2:]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (with_segments(1_000_000), "has more than 2000 segments before its pixels; save it anew"),
        (b"\xff\xd8" + b"\xff\xff\x01" * 1_000_000, "has more than 2000 segments"),
        (with_scans(50_000), "has more than 100 scans; save it anew, not progressive"),
    ],
)
def test_too_many_segments_or_scans_are_refused_at_once(made: bytes, message: str) -> None:
    started = time.perf_counter()
    with pytest.raises(DataError, match=message):
        pictures.decode(made)
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    "made",
    [
        saved(),
        saved(progressive=True),
        saved(icc_profile=bytes(500_000), exif=Image.Exif().tobytes(), comment=b"c" * 60_000),
        with_segments(1000, b"http://ns.adobe.com/xmp/extension/\0" + bytes(1000)),
        with_scans(20),
    ],
)
def test_what_cameras_and_editors_write_is_decoded(made: bytes) -> None:
    assert pictures.decode(made).size == PICTURE.size


@given(st.binary(max_size=300))
def test_other_bytes_are_left_to_the_decoder(content: bytes) -> None:
    jpeg_header.check(content)
    jpeg_header.check(b"\xff\xd8" + content)


def test_the_header_is_served_with_the_model() -> None:
    import model_folder

    assert Path(jpeg_header.__file__).name in model_folder.SERVING_FILES
