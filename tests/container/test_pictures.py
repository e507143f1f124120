"""Pictures from any source are decoded as people see them, or refused with a reason."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from image_trees import encoded, jpeg, noise
from PIL import Image

from errors import DataError
from pictures import center_crop, decode, encode_jpeg, resize

WHITE, RED = (255, 255, 255), (255, 0, 0)


def red_left(size: tuple[int, int] = (60, 30)) -> Image.Image:
    picture = Image.new("RGB", size, "blue")
    picture.paste("red", (0, 0, size[0] // 2, size[1]))
    return picture


def color(picture: Image.Image, place: tuple[int, int]) -> tuple[int, ...]:
    value = picture.getpixel(place)
    assert isinstance(value, tuple)
    return tuple(int(part) for part in value)


def is_red(value: tuple[int, ...]) -> bool:
    return value[0] > 200 and value[2] < 60


def with_orientation(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(red_left(), exif=exif, quality=95)


@pytest.mark.parametrize(
    ("orientation", "size", "red_at"),
    [
        (1, (60, 30), (5, 15)),
        (2, (60, 30), (55, 15)),
        (3, (60, 30), (55, 15)),
        (4, (60, 30), (5, 15)),
        (5, (30, 60), (15, 5)),
        (6, (30, 60), (15, 5)),
        (7, (30, 60), (15, 55)),
        (8, (30, 60), (15, 55)),
    ],
)
def test_the_orientation_of_the_camera_is_applied(
    orientation: int, size: tuple[int, int], red_at: tuple[int, int]
) -> None:
    picture = decode(with_orientation(orientation))
    opposite = size[0] - 1 - red_at[0], size[1] - 1 - red_at[1]
    assert picture.size == size
    assert is_red(color(picture, red_at))
    assert not is_red(color(picture, opposite))


def test_an_invalid_orientation_is_ignored() -> None:
    assert decode(with_orientation(77)).size == (60, 30)


def test_unreadable_exif_does_not_reject_a_picture() -> None:
    content = with_orientation(6)
    begin = content.index(b"Exif\x00\x00") + 6
    assert decode(content[:begin] + b"\xff" * 8 + content[begin + 8 :]).size == (60, 30)


def test_cmyk_keeps_its_colors() -> None:
    picture = decode(encoded(red_left().convert("CMYK"), quality=95))
    assert picture.mode == "RGB"
    assert is_red(color(picture, (5, 15)))
    assert not is_red(color(picture, (55, 15)))


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF"])
def test_a_palette_becomes_its_colors(kind: str) -> None:
    picture = decode(encoded(red_left().convert("P", palette=Image.Palette.ADAPTIVE), kind))
    assert picture.mode == "RGB"
    assert is_red(color(picture, (5, 15)))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize(("level", "scaled"), [(0, 0), (128 * 256, 128), (65_535, 255)])
def test_sixteen_bits_are_scaled_and_not_cut(kind: str, level: int, scaled: int) -> None:
    gray = Image.frombytes("I;16", (8, 8), struct.pack("<64H", *[level] * 64))
    assert color(decode(encoded(gray, kind)), (4, 4)) == (scaled, scaled, scaled)


def test_a_transparent_tone_of_sixteen_bits_is_white_and_its_neighbors_are_not() -> None:
    gray = Image.frombytes("I;16", (3, 1), struct.pack("<3H", 0x1234, 0x1235, 0x8000))
    picture = decode(encoded(gray, "PNG", transparency=0x1234))
    assert [color(picture, (x, 0)) for x in range(3)] == [WHITE, (0x12, 0x12, 0x12), (0x80, 0x80, 0x80)]


def test_sixteen_bits_and_color_keep_both() -> None:
    pixels = b"\x00" + struct.pack(">3H", 65_535, 128 * 256, 0)
    assert color(decode(png(1, 1, depth=16, color_type=2, pixels=pixels)), (0, 0)) == (255, 128, 0)


def test_floating_point_samples_are_refused() -> None:
    with pytest.raises(DataError, match=r"floating-point samples.*; store it with 8 or 16 bits"):
        decode(encoded(noise(1).convert("F"), "TIFF"))


def test_more_than_sixteen_bits_are_refused() -> None:
    with pytest.raises(DataError, match=r"has samples from 0 to 70000; store"):
        decode(encoded(Image.frombytes("I", (2, 1), struct.pack("<2i", 0, 70_000)), "TIFF"))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparent_pixels_become_white(mode: str, kind: str) -> None:
    picture = Image.new("RGBA", (8, 8), (0, 0, 0, 0)).convert(mode)
    if (mode, kind) == ("LA", "WEBP"):
        picture = picture.convert("RGBA")
    assert color(decode(encoded(picture, kind)), (4, 4)) == WHITE


def test_half_transparent_pixels_become_half_white() -> None:
    assert color(decode(encoded(Image.new("RGBA", (8, 8), (0, 0, 0, 128)), "PNG")), (4, 4)) == (127, 127, 127)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_transparent_color_of_a_palette_is_white(kind: str) -> None:
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([255, 0, 0, 0, 255, 0])
    assert color(decode(encoded(picture, kind, transparency=0)), (4, 4)) == WHITE
    assert color(decode(encoded(picture, kind, transparency=1)), (4, 4)) == RED


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_picture_counts(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert is_red(color(decode(content), (8, 8)))


def test_a_camera_that_stores_several_pictures_in_a_jpeg_is_read() -> None:
    content = encoded(Image.new("RGB", (16, 16), "red"), "MPO", save_all=True, append_images=[noise(1)])
    assert is_red(color(decode(content), (8, 8)))


@pytest.mark.parametrize("mode", ["1", "L", "YCbCr"])
def test_every_other_kind_of_color_becomes_rgb(mode: str) -> None:
    content = encoded(noise(1).convert(mode), "JPEG" if mode == "YCbCr" else "PNG")
    assert decode(content).mode == "RGB"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_picture_is_refused(kind: str, share: float) -> None:
    content = encoded(noise(1, (200, 160)), kind)
    with pytest.raises(DataError, match=r"; "):
        decode(content[: int(len(content) * share)])


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"<html>404</html>", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_other_content_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match=r"is not a picture; use JPEG|cannot be decoded: .*; repair it"):
        decode(content)


def test_a_picture_in_another_format_is_refused() -> None:
    with pytest.raises(DataError, match=r"is not a picture; use JPEG$"):
        decode(encoded(noise(1), "GIF"), formats=("JPEG",))


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    for side in (12_000, 60_000):
        with pytest.raises(DataError, match=r"pixels.*; "):
            decode(png(side, side, depth=8, color_type=2, pixels=b""))
    with pytest.raises(DataError, match="has 48 × 40 pixels, more than 1000; make it smaller"):
        decode(jpeg(1), max_pixels=1000)


def test_a_line_of_pixels_is_refused() -> None:
    # Its short side made 224 would be a picture of half a billion pixels.
    with pytest.raises(DataError, match=r"1 × 9000 pixels.*; crop it"):
        decode(encoded(Image.new("RGB", (1, 9000)), "PNG"))


def test_a_damaged_picture_is_refused_or_decoded() -> None:
    drawn = random.Random(7)
    whole = [encoded(noise(1), kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")]
    read = 0
    for _ in range(1500):
        content = bytearray(drawn.choice(whole))
        for _ in range(drawn.choice([1, 3])):
            content[drawn.randrange(min(len(content), drawn.choice([64, 10_000])))] = drawn.randrange(256)
        try:
            picture = decode(bytes(content), max_pixels=1_000_000)
        except DataError as error:
            assert "; " in str(error)  # noqa: PT017 - one of two outcomes
        else:
            read += picture.mode == "RGB"
    assert 0 < read < 1500


@pytest.mark.parametrize(
    ("size", "expected"), [((500, 375), (299, 224)), ((375, 500), (224, 299)), ((10, 10), (224, 224))]
)
def test_the_short_side_gets_the_length(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert resize(noise(1, size), 224).size == expected


def test_a_picture_of_the_right_size_is_unchanged() -> None:
    picture = noise(1, (224, 300))
    assert resize(picture, 224) is picture


def test_a_large_jpeg_is_decoded_smaller_and_looks_the_same() -> None:
    smooth = noise(3, (8, 6)).resize((1600, 1200), Image.Resampling.BICUBIC)
    content = encoded(smooth, quality=95)
    quick, whole = decode(content, short_side=64), decode(content)
    assert quick.size == (200, 150)
    assert whole.size == (1600, 1200)
    one, other = resize(quick, 64).tobytes(), resize(whole, 64).tobytes()
    assert max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 6


def test_the_middle_is_cut_out() -> None:
    assert center_crop(noise(1, (300, 224)), 224).size == (224, 224)


def test_the_stored_jpeg_contains_no_metadata() -> None:
    picture = noise(1)
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    said = encoded(picture, "PNG", exif=exif, dpi=(72, 72), icc_profile=b"a profile")
    bare = encode_jpeg(decode(encoded(picture, "PNG")))
    assert encode_jpeg(decode(said)) == bare
    commented = encoded(picture, comment=b"a secret")
    assert b"secret" in commented
    assert encode_jpeg(decode(commented)) == encode_jpeg(decode(encoded(picture)))
    with Image.open(io.BytesIO(bare)) as stored:
        assert not {"exif", "comment", "icc_profile"} & set(stored.info)


def png(width: int, height: int, depth: int, color_type: int, pixels: bytes) -> bytes:
    """Returns a PNG whose header may claim more than it contains."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, content) for kind, content in parts)
