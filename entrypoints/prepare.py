"""Images as they are found become a data set to train on: verified, cleaned, split, at one size, with its hash.

    python prepare.py --source https://host/dogImages.zip --output-dir DIR

fetch.py brings the source here, layouts.py tells what it means, storing.py makes every picture, selection.py decides
which of them stay, prepared_folder.py lays them out, and staging.py puts the whole into its place or nothing; only what
was downloaded until somebody stopped it is kept, by keeping.py. What comes out depends on the pictures alone: not on
the number of workers, nor on the order in which a disk or an archive lists them.
"""

from __future__ import annotations

import hashlib
import logging
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

import contract
import cores
from command import run
from dataset import Dataset
from errors import DataError, UsageError
from fetch import MOST_BYTES, Source, fetch, source
from flags import Parser
from download_folder import download_folder
from layouts import SPLITS, Layout, Original, understood
from prepared_folder import CHANNELS, lay_out
from selection import check_classes, select, shares
from staging import hand_over, staging_folder
from source_readers import opened
from conversion import Work, store_all

_SIZES = (32, 1024)
_ALL = sys.maxsize
_TERMINATED_EXIT = 143


@dataclass(frozen=True)
class Request:
    """What the flags ask for."""

    source: Source
    output: Path
    image_size: int
    shares: Mapping[str, float]
    workers: int
    least_per_class: int
    most_per_class: int
    most_bytes: int


def main() -> None:
    """Prepare what the command line asks for."""
    # A job that is stopped leaves as little behind as one that fails.
    signal.signal(signal.SIGTERM, _stop)
    try:
        prepare(request(sys.argv[1:]))
    except OSError as error:
        raise DataError(f"{error}; see to the folder, its permissions and the room on its disk") from error


def request(arguments: Sequence[str]) -> Request:
    """The flags, checked."""
    flags = _parser().parse_args(arguments)
    return Request(
        source=source(flags.source, flags.sha256),
        output=Path(flags.output_dir),
        image_size=_within(contract.FLAG_IMAGE_SIZE, flags.image_size, *_SIZES),
        shares=shares(flags.splits),
        workers=_within(contract.FLAG_WORKERS, flags.workers, 1, 1024),
        least_per_class=_within(contract.FLAG_LEAST_PER_CLASS, flags.least_per_class, 1, 10**6),
        most_per_class=_within(contract.FLAG_MOST_PER_CLASS, flags.most_per_class, 3, _ALL),
        most_bytes=_within(contract.FLAG_MOST_GIGABYTES, flags.most_gigabytes, 1, 10**5) * 10**9,
    )


def prepare(asked: Request) -> Dataset:
    """The data set, in its place."""
    started = time.monotonic()
    with staging_folder(asked.output, CHANNELS) as folder, download_folder(asked.output, asked.source.public) as here:
        fetched = fetch(asked.source, here, asked.most_bytes)
        _check_apart(fetched.path, asked.output)
        layout = _layout(fetched.path, asked.most_per_class)
        work = Work(fetched.path, folder / "pictures", asked.image_size)
        work.folder.mkdir()
        logging.info("%d files in %d classes, %d workers", len(layout.originals), len(layout.classes), asked.workers)
        made = store_all(work, [one.name for one in layout.originals], asked.workers)
        found = dict(zip(layout.originals, made, strict=True))
        selection = select(layout, found, asked.shares, asked.least_per_class)
        stored = {one.name: work.stored(number) for number, one in enumerate(layout.originals)}
        hashes = {contract.SOURCE: fetched.sha256} if fetched.sha256 else {}
        dataset = lay_out(selection, stored, folder / "made", asked.image_size, asked.source.public, hashes)
        hand_over(folder / "made", asked.output, CHANNELS)
    _tell(dataset, time.monotonic() - started)
    return dataset


def _check_apart(source_path: Path, output: Path) -> None:
    # What is made would be taken for what it is made from.
    if source_path.is_dir() and output.resolve().is_relative_to(source_path.resolve()):
        raise UsageError(f"{output} lies in {source_path}, which it is made from; name a folder outside of it")


def _layout(path: Path, most_per_class: int) -> Layout:
    store = opened(path)
    try:
        layout = understood(store.names())
    finally:
        store.close()
    # Whoever has forgotten a class is told now, and not after an hour.
    check_classes(
        layout.classes, layout.originals, [split for split in SPLITS if split not in layout.missing], layout.drops
    )
    return layout if most_per_class == _ALL else replace(layout, originals=_fewer(layout.originals, most_per_class))


def _fewer(originals: Sequence[Original], most: int) -> tuple[Original, ...]:
    """So many of each class in each split: the same ones always, and not the first ones only."""
    by_place: dict[tuple[str, str], list[Original]] = defaultdict(list)
    for one in sorted(originals, key=lambda one: hashlib.sha256(one.name.encode()).digest()):
        by_place[one.split, one.class_name].append(one)
    return tuple(sorted(one for group in by_place.values() for one in group[:most]))


def _tell(dataset: Dataset, seconds: float) -> None:
    totals = {split: sum(counts.values()) for split, counts in dataset.counts.items()}
    logging.info("prepared in %.1f s: %s", seconds, ", ".join(f"{count} {split}" for split, count in totals.items()))
    for drop in dataset.drops[:20]:
        logging.info("left out: %s %s", drop.path, drop.reason)
    if len(dataset.drops) > 20:
        logging.info("left out: %d more, all of them in %s", len(dataset.drops) - 20, contract.DATASET_FILE)


def _within(flag: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise UsageError(f"{flag} is {value}; give a number from {least} to {most}")
    return value


def _stop(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(_TERMINATED_EXIT)


def _parser() -> Parser:
    parser = Parser(contract.PREPARE, "Images as they are found become a data set to train on.")
    add = parser.add_argument
    add(
        contract.FLAG_SOURCE,
        required=True,
        help="https://…zip, s3://bucket/….zip, s3://bucket/folder/, a zip, a folder",
    )
    add(contract.FLAG_SHA256, default="", help="what sha256sum says of the zip")
    add(contract.FLAG_IMAGE_SIZE, type=int, default=224, help="length of the short side")
    add(contract.FLAG_SPLITS, default="0.8,0.1,0.1", help="shares of train,validation,test, for those not given")
    add(contract.FLAG_OUTPUT, required=True, help="gets train/, validation/, test/ and dataset/")
    add(contract.FLAG_WORKERS, type=int, default=cores.available(), help="processes; as many as there are cores")
    add(contract.FLAG_LEAST_PER_CLASS, type=int, default=5, help="pictures that training needs of each class")
    add(
        contract.FLAG_MOST_PER_CLASS,
        type=int,
        default=_ALL,
        help="no more than that of each class in each split, for a trial",
    )
    add(contract.FLAG_MOST_GIGABYTES, type=int, default=MOST_BYTES // 10**9, help="what a download may have at most")
    return parser


if __name__ == "__main__":
    run(main)
