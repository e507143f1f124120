"""One picture: a textured shape in random colors, a little turned and moved, on a random background, with mild noise.

The same arguments give the same bytes on every machine with the same Pillow. RandomState is the generator whose numbers
NumPy keeps from version to version, and what a machine's sine has in its last digits is rounded away before it counts.
"""

from __future__ import annotations

import io
from math import pi

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pipeline.samples.plan import Sample
from pipeline.samples.shapes import POLYGONS, turned
from pipeline.samples.textures import FIELDS, Field, Plane

AREA = (0.38, 0.48)  # of the shape, as a part of the picture
OFF_CENTER = 0.05
TILT = pi / 18  # how far a shape and its texture are turned, at most: like what is photographed, they are upright
PERIOD = (0.15, 0.20)  # of the texture, as a part of the picture's side
LEAST_CONTRAST = 128  # between the two colors of a texture, in steps of brightness
SHADE = 40  # how far the background's color changes from side to side, at most
NOISE = 10
_SHARPNESS = 3.0
_STEPS = 4096
_FINER = 4  # a shape is drawn so many times finer, so that its edge is smooth
_BRIGHTNESS = np.array([0.299, 0.587, 0.114])
_QUALITY = 90


def jpeg(sample: Sample, size: int, seed: int) -> bytes:
    """The file of a picture: the same for the same class, number, size and seed."""
    random = np.random.RandomState([seed, sample.sample_class.number, sample.number])
    middle = random.uniform(-OFF_CENTER, OFF_CENTER, 2)
    cover = _cover(sample.sample_class.shape, middle, size, random)
    tones = _tones(FIELDS[sample.sample_class.texture](_plane(middle, size, random), random), cover > 0)
    pixels = _background(size, random) * (1 - cover[..., None]) + _colored(tones, random) * cover[..., None]
    pixels += random.randint(-NOISE, NOISE + 1, pixels.shape)
    buffer = io.BytesIO()
    Image.fromarray(np.rint(pixels.clip(0, 255)).astype(np.uint8)).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def _cover(shape: str, middle: NDArray[np.float64], size: int, random: np.random.RandomState) -> Field:
    """The share of every pixel that the shape covers."""
    finer = size * _FINER
    scale = random.uniform(*AREA) ** 0.5
    corners = turned(POLYGONS[shape], random.uniform(-TILT, TILT))
    places = [
        tuple(round(finer * (0.5 + center + offset * scale)) for offset, center in zip(corner, middle, strict=True))
        for corner in corners
    ]
    mask = Image.new("L", (finer, finer))
    ImageDraw.Draw(mask).polygon(places, fill=255)
    return np.asarray(mask.resize((size, size), Image.Resampling.BOX), dtype=np.float64) / 255


def _plane(middle: NDArray[np.float64], size: int, random: np.random.RandomState) -> Plane:
    """The pattern's own coordinates: around the shape's middle, turned, in periods, with a random beginning."""
    period, angle = random.uniform(*PERIOD), random.uniform(-TILT, TILT)
    places = (np.arange(size) + 0.5) / size - 0.5
    x, y = np.meshgrid((places - middle[0]) / period, (places - middle[1]) / period)
    begin = random.uniform(-1, 1, 2)
    across = x * np.cos(angle) + y * np.sin(angle) + begin[0]
    along = y * np.cos(angle) - x * np.sin(angle) + begin[1]
    return Plane(across, along, 1 / period)


def _tones(field: Field, inside: NDArray[np.bool_]) -> Field:
    """How much every pixel has of the second color: inside the shape the same tones, equally often, for any field."""
    heights = np.rint(field[inside] * _STEPS)
    ranks = np.empty(heights.size)
    ranks[np.argsort(heights, kind="stable")] = (np.arange(heights.size) + 0.5) / heights.size
    tones = np.zeros(field.shape)
    tones[inside] = (0.5 + _SHARPNESS * (ranks - 0.5)).clip(0, 1)
    return tones


def _colored(tones: Field, random: np.random.RandomState) -> Field:
    """The tones in two random colors that differ in brightness."""
    while True:
        first, second = random.randint(0, 256, (2, 3))
        if abs(((first - second) * _BRIGHTNESS).sum()) >= LEAST_CONTRAST:
            return np.asarray(first + tones[..., None] * (second - first), dtype=np.float64)


def _background(size: int, random: np.random.RandomState) -> Field:
    """A random color that shades into another one from side to side."""
    color, shade = random.randint(0, 256, 3), random.randint(-SHADE, SHADE + 1, (2, 3))
    places = (np.arange(size) + 0.5) / size - 0.5
    return np.asarray(color + places[:, None, None] * shade[0] + places[None, :, None] * shade[1], dtype=np.float64)
