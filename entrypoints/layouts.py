"""What a tree of files means as a data set: which class and which split each picture belongs to, by its path alone.

Two layouts are known: train/, valid/ (or validation/, val/) and test/ with a folder per class in each; or one folder
per class. Either may lie in folders of its own (dogImages/train/…). A split that is missing is cut from training later.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import contract
from dataset import Drop
from errors import DataError

SPLITS = (contract.TRAINING, contract.VALIDATION, contract.TEST)
_SPELLINGS = {
    **dict.fromkeys(("train", "training"), contract.TRAINING),
    **dict.fromkeys(("valid", "validation", "val"), contract.VALIDATION),
    **dict.fromkeys(("test", "testing"), contract.TEST),
}
_SUFFIXES = ("", ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff")
_LAYOUTS = "train/, valid/ and test/ with a folder per class in each, or one folder per class"


@dataclass(frozen=True, order=True)
class Original:
    """A file that should be a picture."""

    name: str
    split: str
    class_name: str


@dataclass(frozen=True)
class Layout:
    """All that a source holds; classes are those that have a folder, pictures or not."""

    classes: tuple[str, ...]
    originals: tuple[Original, ...]
    drops: tuple[Drop, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class _Entry:
    name: str
    folders: tuple[str, ...]
    file: str


def understood(names: Iterable[str]) -> Layout:
    """The layout of a source; folders end with a slash."""
    entries = [_entry(name) for name in sorted(names) if not _hidden(name)]
    depth, in_splits = _root(entries)
    found = _found(entries, depth) if in_splits else {contract.TRAINING: ""}
    if contract.TRAINING not in found:
        raise DataError(f"has {' and '.join(sorted(found.values()))} but no train; it takes {_LAYOUTS}")
    originals, drops, classes = [], [], set()
    for entry in entries:
        place = _place(entry, depth, found if in_splits else {})
        if isinstance(place, Original):
            classes.add(place.class_name)
        if entry.file and isinstance(place, Original):
            originals.append(place)
        elif entry.file and isinstance(place, Drop):
            drops.append(place)
    if not classes:
        raise DataError(f"holds no folder of pictures; it takes {_LAYOUTS}")
    pictures, others = _by_suffix(originals)
    missing = tuple(split for split in SPLITS if split not in found)
    return Layout(tuple(sorted(classes)), pictures, (*drops, *others), missing)


def _entry(name: str) -> _Entry:
    *folders, file = name.split("/")
    # A Mac writes é in two characters and everybody else in one: it is one class.
    return _Entry(name, tuple(unicodedata.normalize("NFC", folder) for folder in folders if folder), file)


def _hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _root(entries: Sequence[_Entry]) -> tuple[int, bool]:
    """How deep the data set lies, and whether it comes in splits."""
    depth = 0
    while True:
        tops = {entry.folders[depth] for entry in entries if len(entry.folders) > depth}
        parents = {entry.folders[depth] for entry in entries if len(entry.folders) > depth + 1}
        if len({_SPELLINGS[top.lower()] for top in parents if top.lower() in _SPELLINGS}) > 1:
            return depth, True
        if len(tops) != 1 or not parents:
            return depth, False
        depth += 1


def _found(entries: Sequence[_Entry], depth: int) -> dict[str, str]:
    """The folder of each split."""
    found: dict[str, str] = {}
    for folder in sorted({entry.folders[depth] for entry in entries if len(entry.folders) > depth}):
        split = _SPELLINGS.get(folder.lower())
        if split in found:
            raise DataError(f"has both {found[split]}/ and {folder}/, which mean the same; keep one of them")
        if split:
            found[split] = folder
    return found


def _place(entry: _Entry, depth: int, found: dict[str, str]) -> Original | Drop | None:
    folders = entry.folders[depth:]
    split = contract.TRAINING
    if found:
        split = next((one for one, folder in found.items() if folders[:1] == (folder,)), "")
        if not split:
            return Drop(entry.name, f"lies outside of {', '.join(found.values())}")
        folders = folders[1:]
    if not folders:
        return Drop(entry.name, "lies in no folder of a class")
    return Original(entry.name, split, folders[0])


def _by_suffix(originals: Sequence[Original]) -> tuple[tuple[Original, ...], tuple[Drop, ...]]:
    suffixes = {one: PurePosixPath(one.name).suffix.lower() for one in originals}
    pictures = tuple(one for one in originals if suffixes[one] in _SUFFIXES)
    others = (one for one in originals if suffixes[one] not in _SUFFIXES)
    return pictures, tuple(Drop(one.name, f"is no picture by its name ({suffixes[one]})") for one in others)
