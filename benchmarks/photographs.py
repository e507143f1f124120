"""Original images like those of users: of several sizes, each with the file size of a photograph.

They are the pictures of the sample data set, enlarged and with added grain: without grain a large picture would be
smooth, and faster to decode than a photograph. Most of the course project's images are about 500 × 375, and some far
larger: its zip has 1.1 GB for 8351 images, 132 kB each, and 500 × 375 has 64 kB. So its equivalent here is a mixture:
one in eight has 1600 × 1200, which makes 130 kB each. A phone takes twelve megapixels.
"""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from pipeline.samples import drawing, plan

Size = tuple[int, int]
SMALL, SCREEN, TELEPHONE = (500, 375), (1600, 1200), (4000, 3000)
COURSE = "like the course's"
_LARGE_ONES = 8  # every so-many-th of the course's
_DRAWN_SIDE = 500
_GRAIN = 0.2  # gives 0.3 bytes a pixel, as cameras do
_QUALITY = 88


def draw(folder: Path, classes: int, per_class: int) -> dict[str, Path]:
    """Draws the same pictures in different sizes, each in a folder with train/, valid/ and test/."""
    planned = plan.SamplePlan(classes, per_class, _DRAWN_SIDE)
    samples = list(planned.samples())
    sizes = (SMALL, SCREEN, TELEPHONE)
    folders = {name(size): folder / name(size) for size in sizes}
    mixture = folder / "mixture"
    grain = {size: Image.effect_noise(size, 40).convert("RGB") for size in sizes}

    def photograph(number: int) -> None:
        path = samples[number].path
        with Image.open(io.BytesIO(drawing.jpeg(samples[number], planned.size, planned.seed))) as drawn:
            for size in sizes:
                grown = drawn.resize(size, Image.Resampling.BICUBIC)
                file = _photograph(folders[name(size)] / path)
                Image.blend(grown, grain[size], _GRAIN).save(file, "JPEG", quality=_QUALITY)
        chosen = SCREEN if number % _LARGE_ONES == 0 else SMALL
        _photograph(mixture / path).hardlink_to(folders[name(chosen)] / path)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(photograph, range(len(samples))))
    datasets = {name(SMALL): folders[name(SMALL)], COURSE: mixture}
    return {title: below / plan.FOLDER for title, below in {**datasets, **folders}.items()}


def kilobytes(folder: Path) -> float:
    """Returns the average file size of the pictures below a folder."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return sum(sizes) / len(sizes) / 1000


def name(size: Size) -> str:
    """Returns a size in words."""
    return f"{size[0]}x{size[1]}"


def _photograph(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
