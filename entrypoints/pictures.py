"""Decodes pictures from any source into plain RGB of limited size, for prepare.py and inference.py alike.

Whatever a camera, a scanner or an attacker wrote: the orientation is applied, and CMYK, palettes, 16 bits and
transparency become 8-bit RGB (transparent becomes white). Files that are too large or not pictures are refused with a
reason.
"""

from __future__ import annotations

import io
import warnings

from PIL import ExifTags, Image, ImageFile, ImageMath, UnidentifiedImageError

import jpeg_header
from errors import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff")
MAX_PIXELS = 100_000_000
MAX_ASPECT_RATIO = 20
JPEG_QUALITY = 92
_SIXTEEN_BIT_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_ALPHA_MODES = ("RGBA", "LA", "PA", "RGBa", "La")
# Exif's orientations, and the operation that makes the picture upright.
_ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(
    content: bytes, formats: tuple[str, ...] = FORMATS, max_pixels: int = MAX_PIXELS, short_side: int = 0
) -> Image.Image:
    """Decodes bytes to an upright RGB picture; raises DataError with the reason if they are not one.

    With a short side, a much larger JPEG is decoded at a fraction of its size: never below twice that side, so that
    `resize` gives the same result as for any other picture.
    """
    # Truncated pictures are refused: an incomplete download must not be trained on.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    jpeg_header.check(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns about its own limit; ours is checked below
            with Image.open(io.BytesIO(content), formats=formats) as picture:
                _check_size(picture, max_pixels)
                if short_side:
                    picture.draft(None, (2 * short_side, 2 * short_side))
                picture.load()
                return _to_rgb(_apply_orientation(picture))
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError("is not a picture", f"use {', '.join(formats)}") from None
    except Exception as error:
        # Pillow's decoders can raise any type for invalid bytes.
        message = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"cannot be decoded: {message}", "repair it or leave it out") from error


def resize(picture: Image.Image, short_side: int) -> Image.Image:
    """Returns the picture with its short side at a length; smaller pictures grow."""
    width, height = picture.size
    scale = short_side / min(width, height)
    size = max(short_side, round(width * scale)), max(short_side, round(height * scale))
    return picture if size == picture.size else picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def center_crop(picture: Image.Image, side: int) -> Image.Image:
    """Returns the square in the middle of a picture whose short side is long enough."""
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def encode_jpeg(picture: Image.Image) -> bytes:
    """Returns the bytes that prepare.py stores: the same picture gives the same bytes."""
    buffer = io.BytesIO()
    # Pillow copies the original's comment unless another one is given.
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0, comment=b"")
    return buffer.getvalue()


def _check_size(picture: Image.Image, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise DataError(f"has {width} × {height} pixels, more than {max_pixels}", "make it smaller")
    # A line of pixels would become huge when its short side is enlarged.
    if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
        raise DataError(f"has {width} × {height} pixels, and its aspect ratio exceeds 1:{MAX_ASPECT_RATIO}", "crop it")


def _apply_orientation(picture: Image.Image) -> Image.Image:
    method = _ORIENTATIONS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    return picture if method is None else picture.transpose(method)


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in _SIXTEEN_BIT_MODES:
        return _scale_sixteen_bits(picture)
    if picture.mode == "F":
        raise DataError("has floating-point samples of unknown range", "store it with 8 or 16 bits")
    if picture.mode in _ALPHA_MODES or "transparency" in picture.info:
        with_alpha = picture.convert("RGBA")
        white = Image.new("RGBA", with_alpha.size, "white")
        return Image.alpha_composite(white, with_alpha).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _scale_sixteen_bits(picture: Image.Image) -> Image.Image:
    samples = picture.convert("I")
    lowest, highest = samples.getextrema()
    if lowest < 0 or highest > 65_535:  # type: ignore[operator]  # one channel, two numbers
        raise DataError(f"has samples from {lowest} to {highest}", "store it with 8 or 16 bits")
    gray = samples.point(lambda value: value * (1 / 256) + 0).convert("L")
    transparent = picture.info.get("transparency")
    if isinstance(
        transparent, int
    ):  # one of 65,536 tones, which must be found before scaling merges it with its neighbors
        same = ImageMath.lambda_eval(lambda images: (images["samples"] == transparent) * 255, samples=samples)
        gray.paste(255, mask=same.convert("L"))
    return gray.convert("RGB")
