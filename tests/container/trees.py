"""Pictures, trees and zips that the tests of prepare.py are about: drawn, so that each is like no other."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Mapping
from pathlib import Path

from PIL import Image


def noise(seed: int, size: tuple[int, int] = (48, 40)) -> Image.Image:
    """A picture of its own for every seed."""
    return Image.frombytes("RGB", size, random.Random(seed).randbytes(3 * size[0] * size[1]))


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The bytes of a picture."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg(seed: int) -> bytes:
    """The bytes of a picture of its own."""
    return encoded(noise(seed))


def classes(splits: tuple[str, ...], names: tuple[str, ...] = ("1.cat", "2.dog"), each: int = 6) -> dict[str, bytes]:
    """A whole data set, by path; the split may be empty, for one folder per class."""
    paths = [f"{split}{name}/{number}.jpg" for split in splits for name in names for number in range(each)]
    return {path: jpeg(seed) for seed, path in enumerate(paths)}


def as_folder(files: Mapping[str, bytes], folder: Path) -> Path:
    """The files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def as_zip(files: Mapping[str, bytes], path: Path) -> Path:
    """The files in a zip."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
