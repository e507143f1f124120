"""Decides which pictures make the data set, which become validation and test, and whether there are enough.

Pure functions: paths and hashes in, a selection out, independent of their order. Two pictures are the same if the
stored JPEGs are the same bytes: equal files, and files that differ only in names, comments or container.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import contract
from dataset import DroppedFile
from errors import DataError, InvalidFlagError
from layouts import SPLITS, DataSetLayout, Original

MAX_UNREADABLE_SHARE = 0.05
# Of equal pictures the one in the test split is kept, as it decides; those in training are dropped first.
_KEEP_ORDER = (contract.TEST, contract.VALIDATION, contract.TRAINING)
_MAX_EXAMPLES = 3


@dataclass(frozen=True)
class Conversion:
    """The result for one original: the hash of the stored picture, or the reason why there is none."""

    sha256: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Selection:
    """The pictures that are kept, with their splits, and those that are dropped."""

    classes: tuple[str, ...]
    pictures: Mapping[Original, str]
    drops: tuple[DroppedFile, ...]

    def counts(self) -> dict[str, dict[str, int]]:
        """Counts the pictures of each class in each split."""
        counts = Counter((original.split, original.class_name) for original in self.pictures)
        return {split: {name: counts[split, name] for name in self.classes} for split in SPLITS}


def parse_shares(text: str) -> dict[str, float]:
    """Parses the shares of train, validation and test."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != len(SPLITS) or not all(0 < original < 1 for original in numbers) or abs(sum(numbers) - 1) > 1e-6:
        raise InvalidFlagError(
            f"{contract.FLAG_SPLITS} is {text!r}", "give three shares that add up to 1, as in 0.8,0.1,0.1"
        )
    return dict(zip(SPLITS, numbers, strict=True))


def select(
    layout: DataSetLayout, conversions: Mapping[Original, Conversion], split_shares: Mapping[str, float], minimum: int
) -> Selection:
    """Selects the pictures of a data set from the results of all conversions."""
    unreadable = check_readable(conversions, len(conversions))
    readable = {original: result.sha256 for original, result in conversions.items() if not result.reason}
    selected, duplicates = _remove_duplicates(readable)
    drops = tuple(sorted((*layout.drops, *unreadable, *duplicates), key=lambda drop: drop.path))
    check_classes(layout.classes, selected, [split for split in SPLITS if split not in layout.missing], drops)
    selection = Selection(layout.classes, _fill_missing_splits(selected, layout.missing, split_shares), drops)
    _check_enough(selection, minimum)
    return selection


def check_classes(
    classes: Sequence[str], selected: Iterable[Original], splits: Sequence[str], drops: Sequence[DroppedFile] = ()
) -> None:
    """Raises DataError unless there are two classes or more and none is empty in a split."""
    if len(classes) < 2:
        raise DataError(f"has only one class ({classes[0]}), and a classifier needs two", "add another")
    counts = {(original.split, original.class_name) for original in selected}
    empty = [(name, split) for split in splits for name in classes if (split, name) not in counts]
    if empty:
        related = [drop for drop in drops if any(f"/{name}/" in f"/{drop.path}" for name, _ in empty)]
        where = _examples([f"{name} in {split}" if len(splits) > 1 else name for name, split in empty])
        details = f" ({_drop_examples(related)})" if related else ""
        raise DataError(f"no picture of {where}{details}", "add pictures, or remove the class everywhere")


def check_readable(conversions: Mapping[Original, Conversion], total: int) -> tuple[DroppedFile, ...]:
    """Returns the pictures that cannot be used; raises DataError if they are too many of the total."""
    unreadable = tuple(
        DroppedFile(original.name, result.reason) for original, result in conversions.items() if result.reason
    )
    if len(unreadable) > MAX_UNREADABLE_SHARE * total:
        raise DataError(
            f"{len(unreadable)} of {total} pictures cannot be used, more than {MAX_UNREADABLE_SHARE:.0%}: "
            f"{_drop_examples(unreadable)}",
            "repair or remove them",
        )
    return unreadable


def _remove_duplicates(readable: Mapping[Original, str]) -> tuple[dict[Original, str], list[DroppedFile]]:
    selected: dict[Original, str] = {}
    first: dict[str, Original] = {}
    duplicates = []
    for original in sorted(readable, key=lambda original: (_KEEP_ORDER.index(original.split), original)):
        other = first.setdefault(readable[original], original)
        if other is original:
            selected[original] = readable[original]
        else:
            duplicates.append(
                DroppedFile(original.name, f"is the same picture as {other.name}{_class_note(original, other)}")
            )
    return selected, duplicates


def _class_note(original: Original, other: Original) -> str:
    return "" if original.class_name == other.class_name else f", which is in class {other.class_name}"


def _fill_missing_splits(
    selected: Mapping[Original, str], missing: Sequence[str], split_shares: Mapping[str, float]
) -> dict[Original, str]:
    """Moves training pictures to the missing splits, by class and in the order of their hashes: random but fixed."""
    by_class: dict[str, list[Original]] = defaultdict(list)
    for original in sorted(
        (original for original in selected if original.split == contract.TRAINING),
        key=lambda original: selected[original],
    ):
        by_class[original.class_name].append(original)
    moved_to: dict[Original, str] = {}
    total_share = split_shares[contract.TRAINING] + sum(split_shares[split] for split in missing)
    for name, pictures in by_class.items():
        sizes = {
            split: max(1, math.floor(len(pictures) * split_shares[split] / total_share + 0.5)) for split in missing
        }
        if sum(sizes.values()) >= len(pictures):
            raise DataError(f"{name} has {len(pictures)} pictures, too few to split", "add some, or remove the class")
        rest = iter(pictures)
        moved_to |= {next(rest): split for split, size in sizes.items() for _ in range(size)}
    return {
        replace(original, split=moved_to.get(original, original.split)): sha256 for original, sha256 in selected.items()
    }


def _check_enough(selection: Selection, minimum: int) -> None:
    training = selection.counts()[contract.TRAINING]
    too_few = [f"{name} ({count})" for name, count in training.items() if count < minimum]
    if too_few:
        raise DataError(
            f"too few pictures to train: {_examples(too_few)}, at least {minimum} each",
            f"add some, or lower {contract.FLAG_LEAST_PER_CLASS}",
        )


def _drop_examples(drops: Sequence[DroppedFile]) -> str:
    return _examples([f"{drop.path} {drop.reason.partition(';')[0]}" for drop in drops])


def _examples(items: Sequence[str]) -> str:
    more = f" and {len(items) - _MAX_EXAMPLES} more" if len(items) > _MAX_EXAMPLES else ""
    return ", ".join(items[:_MAX_EXAMPLES]) + more
