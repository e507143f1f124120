"""Original images as people bring them: of several sizes, each weighing what a photograph of its size weighs.

They are the sample data set's pictures, grown and with grain on them: without grain a large picture would be smooth,
and quicker to decode than a photograph. The course project's images are about 500 × 375; a telephone takes twelve
megapixels.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from samples import drawing, plan

Size = tuple[int, int]
COURSE, SCREEN, TELEPHONE = (500, 375), (1600, 1200), (4000, 3000)
SIZES = (COURSE, SCREEN, TELEPHONE)
_DRAWN_SIDE = 500
_GRAIN = 0.2  # gives 0.3 bytes a pixel, as cameras do
_QUALITY = 88


def draw(folder: Path, classes: int, per_class: int, sizes: Sequence[Size] = SIZES) -> dict[Size, Path]:
    """The same pictures once of each size, each in a folder with train/, valid/ and test/."""
    planned = plan.Plan(classes, per_class, _DRAWN_SIDE)
    folders = {size: folder / name(size) for size in sizes}
    grain = {size: Image.effect_noise(size, 40).convert("RGB") for size in sizes}

    def photograph(sample: plan.Sample) -> None:
        with Image.open(io.BytesIO(drawing.jpeg(sample, planned.size, planned.seed))) as drawn:
            for size, below in folders.items():
                path = below / sample.path
                path.parent.mkdir(parents=True, exist_ok=True)
                grown = drawn.resize(size, Image.Resampling.BICUBIC)
                Image.blend(grown, grain[size], _GRAIN).save(path, "JPEG", quality=_QUALITY)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(photograph, planned.samples()))
    return {size: below / plan.FOLDER for size, below in folders.items()}


def name(size: Size) -> str:
    """A size in words."""
    return f"{size[0]}x{size[1]}"
