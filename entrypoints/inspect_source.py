"""Tells what prepare.py would find in a source, without making anything: its classes, its pictures and their size.

    python inspect_source.py --source ~/pictures

It prints one JSON document. Settings are chosen from it, and a source that cannot be used is refused before anything
is uploaded or started, by the same code that would refuse it later. Only a part of a large source is decoded.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import statistics
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops

import contract
import cores
import pictures
from command import INTERRUPTED_EXIT, USER_ERROR_EXIT
from errors import DataError, DownloadFailedError, ScriptError
from fetch import fetch, parse_source
from flags import Parser
from layouts import SPLITS, DataSetLayout, Original, parse_layout
from progress import ProgressLog
from selection import Conversion, check_classes, check_readable
from source_readers import SourceReader, open_source

BROKEN_DOWNLOAD_EXIT = 75
"""For a download that the same command resumes; the number is that of sysexits.h."""
MAX_DECODED = 1000
_DECODED_SIDE = 64
_GRAY_TOLERANCE = 8
_ZIP = ".zip"


@dataclass(frozen=True)
class Measurement:
    """What was found in one file: a picture with its shorter side and whether it is gray, or the reason why not."""

    side: int = 0
    is_gray: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Inspection:
    """What a source contains."""

    path: str
    counts: Mapping[str, Mapping[str, int]]
    missing_splits: Sequence[str]
    side: int
    gray_share: float
    pictures: Sequence[str]
    drops: Sequence[tuple[str, str]]


def main() -> None:
    """Prints the inspection of a source, or the error."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("botocore").setLevel(logging.WARNING)  # it says where it finds credentials
    try:
        flags = _parser().parse_args()
        sys.stdout.write(json.dumps(asdict(inspect(flags.source, flags.sha256, Path(flags.download_dir)))))
    except ScriptError as error:
        sys.stdout.write(json.dumps({"cause": error.cause, "remedy": error.remedy}))
        sys.exit(BROKEN_DOWNLOAD_EXIT if isinstance(error, DownloadFailedError) else USER_ERROR_EXIT)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED_EXIT)


def inspect(address: str, sha256: str, download_folder: Path) -> Inspection:
    """Reads the names of a source and decodes some of its pictures; downloads a remote source to a folder first."""
    source = parse_source(address, sha256)
    path = fetch(source, download_folder).path
    if path.is_file() and path.suffix.lower() in pictures.SUFFIXES:
        raise DataError(f"{address} is one picture", "name the folder that has a folder for each class")
    reader = open_source(path)
    try:
        return _inspect(path, reader)
    except DataError as error:
        raise error.about(f"{source.public_name}:") from None
    finally:
        reader.close()


def _inspect(path: Path, reader: SourceReader) -> Inspection:
    layout = _read_layout(reader)
    measured = _measure_all(reader, _spread(layout.originals))
    unreadable = {original: found.reason for original, found in measured.items() if found.reason}
    conversions = {original: Conversion(reason=reason) for original, reason in unreadable.items()}
    drops = check_readable(conversions, len(measured))
    readable = [original for original in layout.originals if original not in unreadable]
    check_classes(layout.classes, readable, _splits(layout), (*layout.drops, *drops))
    counts = Counter((original.split, original.class_name) for original in readable)
    sizes = [found for found in measured.values() if not found.reason]
    return Inspection(
        str(path),
        {split: {name: counts[split, name] for name in layout.classes} for split in _splits(layout)},
        layout.missing,
        round(statistics.median(found.side for found in sizes)),
        sum(found.is_gray for found in sizes) / len(sizes),
        [original.name for original in readable],
        sorted((drop.path, drop.reason) for drop in (*layout.drops, *drops)),
    )


def _read_layout(reader: SourceReader) -> DataSetLayout:
    names = reader.names()
    try:
        layout = parse_layout(names)
        check_classes(layout.classes, layout.originals, _splits(layout), layout.drops)
    except DataError:
        zips = [name for name in names if name.lower().endswith(_ZIP)]
        if zips and not any(name.lower().endswith(pictures.SUFFIXES) for name in names):
            raise DataError(f"has no pictures, but {zips[0]}", "unpack that, or name it") from None
        raise
    return layout


def _splits(layout: DataSetLayout) -> list[str]:
    return [split for split in SPLITS if split not in layout.missing]


def _spread(originals: Sequence[Original]) -> list[Original]:
    """All pictures of a small source; of a large one always the same ones, from every class in its proportion."""
    step = max(1, -(-len(originals) // MAX_DECODED))
    ordered = sorted(originals, key=lambda original: (original.class_name, _hash(original.name)))
    return ordered[::step]


def _hash(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def _measure_all(reader: SourceReader, originals: Sequence[Original]) -> dict[Original, Measurement]:
    progress, measured = ProgressLog("looking at the pictures", "pictures"), {}
    with ThreadPoolExecutor(cores.available()) as pool:
        results = pool.map(lambda original: _measure(reader, original.name), originals)
        for original, found in zip(originals, results, strict=True):
            measured[original] = found
            progress.update(len(measured), len(originals))
    return measured


def _measure(reader: SourceReader, name: str) -> Measurement:
    try:
        content = reader.read(name)
        picture = pictures.decode(content, short_side=_DECODED_SIDE)
    except DataError as error:
        return Measurement(reason=error.cause)
    with Image.open(io.BytesIO(content)) as original:
        return Measurement(min(original.size), _is_gray(picture))


def _is_gray(picture: Image.Image) -> bool:
    red, green, blue = picture.resize((_DECODED_SIDE, _DECODED_SIDE)).split()
    differences: list[Any] = [ImageChops.difference(green, other).getextrema() for other in (red, blue)]
    return max(most for _, most in differences) <= _GRAY_TOLERANCE


def _parser() -> Parser:
    parser = Parser("inspect_source.py", "Tells what a source of images contains, as JSON.")
    parser.add_argument(contract.FLAG_SOURCE, required=True, help="as prepare.py takes it")
    parser.add_argument(contract.FLAG_SHA256, default="", help="the output of sha256sum for the zip")
    parser.add_argument("--download-dir", default=".", help="an existing folder for what is downloaded")
    return parser


if __name__ == "__main__":
    main()
