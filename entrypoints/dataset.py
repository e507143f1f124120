"""dataset.json: the description of a data set that prepare.py writes and the later scripts read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import contract
from errors import DataError


@dataclass(frozen=True)
class DroppedFile:
    """A file that was left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Dataset:
    """The classes in order, the number of pictures of each class in each split, and a hash of all of it."""

    classes: tuple[str, ...]
    labels: tuple[str, ...]
    image_size: int
    sha256: str
    counts: Mapping[str, Mapping[str, int]]
    drops: tuple[DroppedFile, ...] = ()
    source: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Writes dataset.json into a folder."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False, sort_keys=True)
        (folder / contract.DATASET_FILE).write_text(f"{text}\n", encoding="utf-8")


def read(folder: Path) -> Dataset:
    """Reads the dataset.json of a folder."""
    path = folder / contract.DATASET_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Dataset(
            classes=tuple(document["classes"]),
            labels=tuple(document["labels"]),
            image_size=int(document["image_size"]),
            sha256=str(document[contract.DATASET_HASH]),
            counts=document["counts"],
            drops=tuple(DroppedFile(**drop) for drop in document["drops"]),
            source=str(document["source"]),
            hashes=document["hashes"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be read: {error!r}", f"use the file that {contract.PREPARE} writes") from None


def readable_name(name: str) -> str:
    """Returns a folder's name for people: 001.Affenpinscher becomes Affenpinscher."""
    return re.sub(r"^\d+[._\s-]+", "", name).replace("_", " ").strip() or name
