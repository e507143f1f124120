"""Pictures of any origin, made into plain RGB of bounded size: what prepare.py stores and inference.py looks at.

Whatever a camera, a scanner or an attacker wrote: orientation is applied, CMYK, palettes, 16 bits and transparency
become 8-bit RGB (transparent is white), and what is too large or no picture is refused with a reason.
"""

from __future__ import annotations

import io
import warnings

from PIL import ExifTags, Image, ImageFile, ImageMath, UnidentifiedImageError

from errors import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MOST_PIXELS = 100_000_000
MOST_ELONGATED = 20
QUALITY = 92
_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")
# What Exif calls an orientation, and what makes the picture upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(
    content: bytes, formats: tuple[str, ...] = FORMATS, most_pixels: int = MOST_PIXELS, short_side: int = 0
) -> Image.Image:
    """The picture that some bytes are, as RGB and upright; DataError says why they are none.

    With a short side, a JPEG that is far larger is decoded at a fraction of its size: never below twice that side, so
    that `resized` makes of it what it makes of any other picture.
    """
    # Half a picture is none: a truncated download must not train anything.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own limit warns; ours is below
            with Image.open(io.BytesIO(content), formats=formats) as picture:
                _check_size(picture, most_pixels)
                if short_side:
                    picture.draft(None, (2 * short_side, 2 * short_side))
                picture.load()
                return _rgb(_upright(picture))
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError(f"is no picture; use {', '.join(formats)}") from None
    except Exception as error:
        # Pillow's readers meet bytes that nobody foresaw, and fail with whatever their arithmetic fails with.
        told = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"cannot be decoded: {told}; mend it or leave it out") from error


def resized(picture: Image.Image, short_side: int) -> Image.Image:
    """The picture with its short side at a length; one that is smaller grows."""
    width, height = picture.size
    scale = short_side / min(width, height)
    size = max(short_side, round(width * scale)), max(short_side, round(height * scale))
    return picture if size == picture.size else picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def center_cropped(picture: Image.Image, side: int) -> Image.Image:
    """The square in the middle of a picture whose short side is at least that long."""
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def as_jpeg(picture: Image.Image) -> bytes:
    """The bytes that prepare.py stores: the same for the same picture."""
    buffer = io.BytesIO()
    # Pillow hands a comment of the original on unless it is told another.
    picture.save(buffer, "JPEG", quality=QUALITY, subsampling=0, comment=b"")
    return buffer.getvalue()


def _check_size(picture: Image.Image, most_pixels: int) -> None:
    width, height = picture.size
    if width * height > most_pixels:
        raise DataError(f"has {width} × {height} pixels, more than {most_pixels}; make it smaller")
    # A line of pixels would grow without bound when its short side does.
    if max(width, height) > MOST_ELONGATED * min(width, height):
        raise DataError(f"has {width} × {height} pixels, its sides are further apart than 1:{MOST_ELONGATED}; crop it")


def _upright(picture: Image.Image) -> Image.Image:
    method = _UPRIGHT.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    return picture if method is None else picture.transpose(method)


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in _SIXTEEN_BITS:
        return _from_sixteen_bits(picture)
    if picture.mode == "F":
        raise DataError("has floating-point samples, whose range nobody knows; store it with 8 or 16 bits")
    if picture.mode in _WITH_ALPHA or "transparency" in picture.info:
        with_alpha = picture.convert("RGBA")
        white = Image.new("RGBA", with_alpha.size, "white")
        return Image.alpha_composite(white, with_alpha).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _from_sixteen_bits(picture: Image.Image) -> Image.Image:
    whole = picture.convert("I")
    least, most = whole.getextrema()
    if least < 0 or most > 65_535:  # type: ignore[operator]  # one channel, two numbers
        raise DataError(f"has samples from {least} to {most}; store it with 8 or 16 bits")
    gray = whole.point(lambda value: value * (1 / 256) + 0).convert("L")
    transparent = picture.info.get("transparency")
    if isinstance(transparent, int):  # one of the 65,536 tones, to be told from its neighbors before they are one
        same = ImageMath.lambda_eval(lambda images: (images["whole"] == transparent) * 255, whole=whole)
        gray.paste(255, mask=same.convert("L"))
    return gray.convert("RGB")
