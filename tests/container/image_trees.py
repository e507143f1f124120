"""Pictures, trees and zips for the tests of prepare.py: drawn, so that each one is different."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Mapping
from pathlib import Path

from PIL import Image


def noise(seed: int, size: tuple[int, int] = (48, 40)) -> Image.Image:
    """Returns a different picture for every seed."""
    return Image.frombytes("RGB", size, random.Random(seed).randbytes(3 * size[0] * size[1]))


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """Returns the bytes of a picture."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg(seed: int) -> bytes:
    """Returns the bytes of a different picture for every seed."""
    return encoded(noise(seed))


def classes(splits: tuple[str, ...], names: tuple[str, ...] = ("1.cat", "2.dog"), each: int = 6) -> dict[str, bytes]:
    """Returns a whole data set, by path; the split may be empty, for one folder per class."""
    paths = [f"{split}{name}/{number}.jpg" for split in splits for name in names for number in range(each)]
    return {path: jpeg(seed) for seed, path in enumerate(paths)}


def as_folder(files: Mapping[str, bytes], folder: Path) -> Path:
    """Writes the files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def as_zip(files: Mapping[str, bytes], path: Path) -> Path:
    """Writes the files into a zip."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
