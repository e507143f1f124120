"""The output of prepare.py: a folder per split, with a folder per class, and dataset.json.

The hash of a data set covers paths and contents. Anybody can compute it in the folder of the splits:

    find train validation test -type f | LC_ALL=C sort | tr '
' '\0' | xargs -0 sha256sum | sha256sum
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import contract
from dataset import Dataset, readable_name
from layouts import SPLITS, Original
from selection import Selection

CHANNELS = (*SPLITS, contract.DATASET)
_UNUSUAL = re.compile(r"[^\w .()+=@-]")
_MAX_STEM = 100
# The suffix of pictures with the same name; a name that already looks like this gets one too.
_HASH_SUFFIX = re.compile(r"-[0-9a-f]{16}$")


def write_folder(
    selection: Selection,
    stored: Mapping[str, Path],
    folder: Path,
    image_size: int,
    source: str,
    hashes: Mapping[str, str],
) -> Dataset:
    """Moves the selected pictures into a new folder under their final names, and writes dataset.json."""
    for channel in CHANNELS:
        (folder / channel).mkdir(parents=True)
    for split in SPLITS:
        for name in selection.classes:
            (folder / split / name).mkdir()
    paths = file_names(selection.pictures)
    originals = dict(zip(paths.values(), paths, strict=True))
    for path, original in originals.items():
        stored[original.name].rename(folder / path)
    contents = {path: selection.pictures[original] for path, original in originals.items()}
    dataset = Dataset(
        classes=selection.classes,
        labels=unique_labels(selection.classes),
        image_size=image_size,
        sha256=_hash_lines(contents, ""),
        counts=selection.counts(),
        drops=selection.drops,
        source=source,
        hashes={**{split: _hash_lines(contents, f"{split}/") for split in SPLITS}, **hashes},
    )
    dataset.write(folder / contract.DATASET)
    return dataset


def file_names(hashes: Mapping[Original, str]) -> dict[Original, str]:
    """Returns the path of each picture: its own name, plus a part of its hash if the name is not unique."""
    stems = {original: _UNUSUAL.sub("_", Path(original.name).stem)[:_MAX_STEM] for original in hashes}
    # On macOS, a.jpg and A.jpg are the same file.
    name_counts = Counter((original.split, original.class_name, stem.lower()) for original, stem in stems.items())
    names = {}
    for original, stem in stems.items():
        is_unique = name_counts[original.split, original.class_name, stem.lower()] == 1 and not _HASH_SUFFIX.search(
            stem.lower()
        )
        name = stem if is_unique else f"{stem}-{hashes[original][:16]}"
        names[original] = f"{original.split}/{original.class_name}/{name}.jpg"
    return names


def unique_labels(classes: Sequence[str]) -> tuple[str, ...]:
    """Returns readable names of the classes, unless two would be the same."""
    readable_names = tuple(readable_name(name) for name in classes)
    return readable_names if len(set(readable_names)) == len(readable_names) else tuple(classes)


def _hash_lines(contents: Mapping[str, str], prefix: str) -> str:
    lines = [f"{contents[path]}  {path}\n" for path in sorted(contents) if path.startswith(prefix)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
