"""dataset.json: what prepare.py says about the images that it made, and the later scripts rely on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import contract
from errors import DataError


@dataclass(frozen=True)
class Drop:
    """A picture that was left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Dataset:
    """The classes in order, how many pictures each split has of them, and a hash of it all."""

    classes: tuple[str, ...]
    labels: tuple[str, ...]
    image_size: int
    sha256: str
    counts: Mapping[str, Mapping[str, int]]
    drops: tuple[Drop, ...] = ()
    source: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write dataset.json into a folder."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False, sort_keys=True)
        (folder / contract.DATASET_FILE).write_text(f"{text}\n", encoding="utf-8")


def read(folder: Path) -> Dataset:
    """The data set that a folder's dataset.json describes."""
    path = folder / contract.DATASET_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Dataset(
            classes=tuple(document["classes"]),
            labels=tuple(document["labels"]),
            image_size=int(document["image_size"]),
            sha256=str(document[contract.DATASET_HASH]),
            counts=document["counts"],
            drops=tuple(Drop(**one) for one in document["drops"]),
            source=str(document["source"]),
            hashes=document["hashes"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be read: {error!r}; it is what {contract.PREPARE} writes") from None


def label(name: str) -> str:
    """A folder's name for people: 001.Affenpinscher is Affenpinscher."""
    return re.sub(r"^\d+[._\s-]+", "", name).replace("_", " ").strip() or name
