"""Images as they are found become a data set to train on: verified, cleaned, split, at one size, with its hash.

    python prepare.py --source https://host/dogImages.zip --output-dir DIR

fetch.py brings the source here, layouts.py finds out its classes and splits, conversion.py makes every picture,
selection.py decides which of them stay, prepared_folder.py lays them out, and staging.py moves all of it to its place,
or nothing. Only a download that is interrupted is kept, by download_folder.py. The result depends on the pictures
alone: not on the number of workers, nor on the order in which a disk or an archive lists them.
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
from conversion import ConversionJob, convert_all
from dataset import Dataset
from download_folder import download_folder
from errors import DataError, InvalidFlagError
from fetch import MAX_BYTES, ImageSource, fetch, parse_source
from flags import Parser
from layouts import SPLITS, DataSetLayout, Original, parse_layout
from prepared_folder import CHANNELS, write_folder
from selection import check_classes, parse_shares, select
from source_readers import open_source
from staging import publish, staging_folder

_IMAGE_SIZE_BOUNDS = (32, 1024)
_NO_LIMIT = sys.maxsize
_TERMINATED_EXIT = 143


@dataclass(frozen=True)
class PrepareOptions:
    """The options of prepare.py, checked."""

    source: ImageSource
    output: Path
    image_size: int
    split_shares: Mapping[str, float]
    workers: int
    min_per_class: int
    max_per_class: int
    max_bytes: int


def main() -> None:
    """Prepares a data set as the command line says."""
    # SystemExit cleans up, so that a stopped job leaves nothing behind, like one that fails.
    signal.signal(signal.SIGTERM, _exit_on_sigterm)
    try:
        prepare(parse_options(sys.argv[1:]))
    except OSError as error:
        raise DataError(str(error), "check the folder, its permissions and the free space on its disk") from error


def parse_options(arguments: Sequence[str]) -> PrepareOptions:
    """Parses the command line and checks its values."""
    flags = _parser().parse_args(arguments)
    return PrepareOptions(
        source=parse_source(flags.source, flags.sha256),
        output=Path(flags.output_dir),
        image_size=_check_bounds(contract.FLAG_IMAGE_SIZE, flags.image_size, *_IMAGE_SIZE_BOUNDS),
        split_shares=parse_shares(flags.splits),
        workers=_check_bounds(contract.FLAG_WORKERS, flags.workers, 1, 1024),
        min_per_class=_check_bounds(contract.FLAG_LEAST_PER_CLASS, flags.least_per_class, 1, 10**6),
        max_per_class=_check_bounds(contract.FLAG_MOST_PER_CLASS, flags.most_per_class, 3, _NO_LIMIT),
        max_bytes=_check_bounds(contract.FLAG_MOST_GIGABYTES, flags.most_gigabytes, 1, 10**5) * 10**9,
    )


def prepare(options: PrepareOptions) -> Dataset:
    """Makes the data set in the output folder."""
    started = time.monotonic()
    with (
        staging_folder(options.output, CHANNELS) as folder,
        download_folder(options.output, options.source.public_name) as download_path,
    ):
        local_source = fetch(options.source, download_path, options.max_bytes)
        _check_apart(local_source.path, options.output)
        layout = _read_layout(local_source.path, options.max_per_class)
        job = ConversionJob(local_source.path, folder / "pictures", options.image_size)
        job.folder.mkdir()
        logging.info("%d files in %d classes, %d workers", len(layout.originals), len(layout.classes), options.workers)
        conversions = convert_all(job, [original.name for original in layout.originals], options.workers)
        conversion_by_original = dict(zip(layout.originals, conversions, strict=True))
        selection = select(layout, conversion_by_original, options.split_shares, options.min_per_class)
        stored = {original.name: job.output_path(number) for number, original in enumerate(layout.originals)}
        hashes = {contract.SOURCE: local_source.sha256} if local_source.sha256 else {}
        dataset = write_folder(
            selection, stored, folder / "made", options.image_size, options.source.public_name, hashes
        )
        publish(folder / "made", options.output, CHANNELS)
    _log_summary(dataset, time.monotonic() - started)
    return dataset


def _check_apart(source_path: Path, output: Path) -> None:
    # The next run would read the output as input.
    if source_path.is_dir() and output.resolve().is_relative_to(source_path.resolve()):
        raise InvalidFlagError(f"{output} is inside the source {source_path}", "name a folder outside of it")


def _read_layout(path: Path, max_per_class: int) -> DataSetLayout:
    reader = open_source(path)
    try:
        layout = parse_layout(reader.names())
    finally:
        reader.close()
    # A missing class is reported now, and not after an hour of conversion.
    check_classes(
        layout.classes, layout.originals, [split for split in SPLITS if split not in layout.missing], layout.drops
    )
    return (
        layout
        if max_per_class == _NO_LIMIT
        else replace(layout, originals=_sample_per_class(layout.originals, max_per_class))
    )


def _sample_per_class(originals: Sequence[Original], limit: int) -> tuple[Original, ...]:
    """Returns at most `limit` pictures of each class in each split: always the same ones, spread by hash."""
    groups: dict[tuple[str, str], list[Original]] = defaultdict(list)
    for original in sorted(originals, key=lambda original: hashlib.sha256(original.name.encode()).digest()):
        groups[original.split, original.class_name].append(original)
    return tuple(sorted(original for group in groups.values() for original in group[:limit]))


def _log_summary(dataset: Dataset, seconds: float) -> None:
    totals = {split: sum(counts.values()) for split, counts in dataset.counts.items()}
    logging.info("prepared in %.1f s: %s", seconds, ", ".join(f"{count} {split}" for split, count in totals.items()))
    for drop in dataset.drops[:20]:
        logging.info("left out: %s %s", drop.path, drop.reason)
    if len(dataset.drops) > 20:
        logging.info("left out: %d more, all of them in %s", len(dataset.drops) - 20, contract.DATASET_FILE)


def _check_bounds(flag: str, value: int, minimum: int, limit: int) -> int:
    if not minimum <= value <= limit:
        raise InvalidFlagError(f"{flag} is {value}", f"give a number from {minimum} to {limit}")
    return value


def _exit_on_sigterm(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(_TERMINATED_EXIT)


def _parser() -> Parser:
    parser = Parser(contract.PREPARE, "Makes a data set for training out of a folder, a zip or an address of images.")
    add = parser.add_argument
    add(
        contract.FLAG_SOURCE,
        required=True,
        help="https://…zip, s3://bucket/….zip, s3://bucket/folder/, a zip, a folder",
    )
    add(contract.FLAG_SHA256, default="", help="the output of sha256sum for the zip")
    add(contract.FLAG_IMAGE_SIZE, type=int, default=224, help="length of the short side")
    add(
        contract.FLAG_SPLITS,
        default="0.8,0.1,0.1",
        help="shares of train,validation,test, for splits that the source does not have",
    )
    add(contract.FLAG_OUTPUT, required=True, help="the folder for train/, validation/, test/ and dataset/")
    add(contract.FLAG_WORKERS, type=int, default=cores.available(), help="processes; default one per core")
    add(contract.FLAG_LEAST_PER_CLASS, type=int, default=5, help="minimum of training pictures per class")
    add(
        contract.FLAG_MOST_PER_CLASS,
        type=int,
        default=_NO_LIMIT,
        help="maximum of pictures per class and split, for a trial",
    )
    add(contract.FLAG_MOST_GIGABYTES, type=int, default=MAX_BYTES // 10**9, help="maximum size of a download")
    return parser


if __name__ == "__main__":
    run(main)
