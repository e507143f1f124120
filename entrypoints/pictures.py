"""Pictures of any origin, made into plain RGB of bounded size: what prepare.py stores and inference.py looks at.

Whatever a camera, a scanner or an attacker wrote: orientation is applied, CMYK, palettes, 16 bits and transparency
become 8-bit RGB (transparent is white), and what is too large or no picture is refused with a reason.
"""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from errors import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MOST_PIXELS = 100_000_000
QUALITY = 92
_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def decode(content: bytes, formats: tuple[str, ...] = FORMATS, most_pixels: int = MOST_PIXELS) -> Image.Image:
    """The picture that some bytes are, as RGB and upright; DataError says why they are none."""
    # Half a picture is none: a truncated download must not train anything.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own limit warns; ours is below
            with Image.open(io.BytesIO(content), formats=formats) as picture:
                width, height = picture.size
                if width * height > most_pixels:
                    raise DataError(f"has {width} × {height} pixels, more than {most_pixels}; make it smaller")
                picture.load()
                return _rgb(ImageOps.exif_transpose(picture))
    except UnidentifiedImageError:
        raise DataError(f"is no picture; use {', '.join(formats)}") from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError) as error:
        raise DataError(f"cannot be decoded: {error}; mend it or leave it out") from None


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
    picture.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return buffer.getvalue()


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in _SIXTEEN_BITS:
        return picture.point(lambda value: value / 256).convert("L").convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        with_alpha = picture.convert("RGBA")
        white = Image.new("RGBA", with_alpha.size, "white")
        return Image.alpha_composite(white, with_alpha).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")
