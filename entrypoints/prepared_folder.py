"""What prepare.py leaves: a folder per split with a folder per class, and dataset.json, which says what they hold.

The hash of a data set is over paths and contents, and anybody can compute it again in the folder that holds the splits:

    find train validation test -type f | LC_ALL=C sort | tr '\\n' '\\0' | xargs -0 sha256sum | sha256sum
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import contract
from dataset import Dataset, label
from layouts import SPLITS, Original
from selection import Selection

CHANNELS = (*SPLITS, contract.DATASET)
_UNUSUAL = re.compile(r"[^\w .()+=@-]")
_LONGEST_STEM = 100
# What tells pictures of one name apart; a name that looks as if it had that already gets it as well.
_MARKED = re.compile(r"-[0-9a-f]{16}$")


def lay_out(
    selection: Selection,
    stored: Mapping[str, Path],
    folder: Path,
    image_size: int,
    source: str,
    hashes: Mapping[str, str],
) -> Dataset:
    """Move the stored pictures of a selection under their names into a new folder, and write dataset.json there."""
    for channel in CHANNELS:
        (folder / channel).mkdir(parents=True)
    for split in SPLITS:
        for name in selection.classes:
            (folder / split / name).mkdir()
    paths = file_names(selection.kept)
    originals = dict(zip(paths.values(), paths, strict=True))
    for path, one in originals.items():
        stored[one.name].rename(folder / path)
    contents = {path: selection.kept[one] for path, one in originals.items()}
    dataset = Dataset(
        classes=selection.classes,
        labels=labels(selection.classes),
        image_size=image_size,
        sha256=_hash_of(contents, ""),
        counts=selection.counts(),
        drops=selection.drops,
        source=source,
        hashes={**{split: _hash_of(contents, f"{split}/") for split in SPLITS}, **hashes},
    )
    dataset.write(folder / contract.DATASET)
    return dataset


def file_names(kept: Mapping[Original, str]) -> dict[Original, str]:
    """Where each picture goes: its own name, with a part of its hash where another has the same one."""
    stems = {one: _UNUSUAL.sub("_", Path(one.name).stem)[:_LONGEST_STEM] for one in kept}
    # On a Mac, a.jpg and A.jpg are one file.
    same = Counter((one.split, one.class_name, stem.lower()) for one, stem in stems.items())
    names = {}
    for one, stem in stems.items():
        alone = same[one.split, one.class_name, stem.lower()] == 1 and not _MARKED.search(stem.lower())
        name = stem if alone else f"{stem}-{kept[one][:16]}"
        names[one] = f"{one.split}/{one.class_name}/{name}.jpg"
    return names


def labels(classes: Sequence[str]) -> tuple[str, ...]:
    """The classes for people, unless two would be read alike."""
    readable = tuple(label(name) for name in classes)
    return readable if len(set(readable)) == len(readable) else tuple(classes)


def _hash_of(contents: Mapping[str, str], prefix: str) -> str:
    lines = [f"{contents[path]}  {path}\n" for path in sorted(contents) if path.startswith(prefix)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
