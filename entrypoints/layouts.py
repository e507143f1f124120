"""Finds out from paths alone which class and which split each picture of a source belongs to.

Two layouts are supported: train/, valid/ (or validation/, val/) and test/ with a folder per class in each; or one
folder per class. Both may lie in other folders (dogImages/train/…). A missing split is taken from training later.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import contract
import pictures
from dataset import DroppedFile
from errors import DataError

SPLITS = (contract.TRAINING, contract.VALIDATION, contract.TEST)
_SPELLINGS = {
    **dict.fromkeys(("train", "training"), contract.TRAINING),
    **dict.fromkeys(("valid", "validation", "val"), contract.VALIDATION),
    **dict.fromkeys(("test", "testing"), contract.TEST),
}
_SUFFIXES = ("", *pictures.SUFFIXES)
_LAYOUTS = "train/, valid/ and test/ with a folder per class in each, or one folder per class"


@dataclass(frozen=True, order=True)
class Original:
    """A file that should be a picture."""

    name: str
    split: str
    class_name: str


@dataclass(frozen=True)
class DataSetLayout:
    """What a source contains; a folder is a class even without pictures."""

    classes: tuple[str, ...]
    originals: tuple[Original, ...]
    drops: tuple[DroppedFile, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class _Entry:
    name: str
    folders: tuple[str, ...]
    file: str


def parse_layout(names: Iterable[str]) -> DataSetLayout:
    """Returns the layout of a source from its names; folders end with a slash."""
    entries = [_entry(name) for name in sorted(names) if not _is_hidden(name)]
    depth, in_splits = _find_root(entries)
    split_folders = _split_folders(entries, depth) if in_splits else {contract.TRAINING: ""}
    if contract.TRAINING not in split_folders:
        raise DataError(f"has {' and '.join(sorted(split_folders.values()))} but no train", f"it takes {_LAYOUTS}")
    originals, drops, classes = [], [], set()
    for entry in entries:
        classified = _classify(entry, depth, split_folders if in_splits else {})
        if isinstance(classified, Original):
            classes.add(classified.class_name)
        if entry.file and isinstance(classified, Original):
            originals.append(classified)
        elif entry.file and isinstance(classified, DroppedFile):
            drops.append(classified)
    if not classes:
        raise DataError("has no folder of pictures", f"it takes {_LAYOUTS}")
    found, others = _separate_pictures(originals)
    missing = tuple(split for split in SPLITS if split not in split_folders)
    return DataSetLayout(tuple(sorted(classes)), found, (*drops, *others), missing)


def _entry(name: str) -> _Entry:
    *folders, file = name.split("/")
    # macOS writes é as two characters, other systems as one: both are the same class.
    return _Entry(name, tuple(unicodedata.normalize("NFC", folder) for folder in folders if folder), file)


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _find_root(entries: Sequence[_Entry]) -> tuple[int, bool]:
    """Returns how deep the data set lies, and whether it has splits."""
    depth = 0
    while True:
        folders_here = {entry.folders[depth] for entry in entries if len(entry.folders) > depth}
        folders_with_children = {entry.folders[depth] for entry in entries if len(entry.folders) > depth + 1}
        if len({_SPELLINGS[top.lower()] for top in folders_with_children if top.lower() in _SPELLINGS}) > 1:
            return depth, True
        if len(folders_here) != 1 or not folders_with_children:
            return depth, False
        depth += 1


def _split_folders(entries: Sequence[_Entry], depth: int) -> dict[str, str]:
    """Returns the folder of each split."""
    split_folders: dict[str, str] = {}
    for folder in sorted({entry.folders[depth] for entry in entries if len(entry.folders) > depth}):
        split = _SPELLINGS.get(folder.lower())
        if split in split_folders:
            raise DataError(f"has both {split_folders[split]}/ and {folder}/, which mean the same", "keep one of them")
        if split:
            split_folders[split] = folder
    return split_folders


def _classify(entry: _Entry, depth: int, split_folders: dict[str, str]) -> Original | DroppedFile | None:
    folders = entry.folders[depth:]
    split = contract.TRAINING
    if split_folders:
        split = next((original for original, folder in split_folders.items() if folders[:1] == (folder,)), "")
        if not split:
            return DroppedFile(entry.name, f"is outside of {', '.join(split_folders.values())}")
        folders = folders[1:]
    if not folders:
        return DroppedFile(entry.name, "is not in a folder of a class")
    return Original(entry.name, split, folders[0])


def _separate_pictures(originals: Sequence[Original]) -> tuple[tuple[Original, ...], tuple[DroppedFile, ...]]:
    suffixes = {original: PurePosixPath(original.name).suffix.lower() for original in originals}
    found = tuple(original for original in originals if suffixes[original] in _SUFFIXES)
    others = (original for original in originals if suffixes[original] not in _SUFFIXES)
    return found, tuple(
        DroppedFile(original.name, f"does not have the name of a picture ({suffixes[original]})") for original in others
    )
