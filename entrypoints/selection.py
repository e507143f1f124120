"""Which pictures make the data set: what is left out and why, what is cut off for validation and test, and whether it
is enough. Pure: paths and hashes in, a selection out, whatever order they come in.

Two pictures are the same when the stored JPEGs are, to the byte: files that are equal, and files that differ only in
what training does not see (their names, comments or container).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import contract
from dataset import Drop
from errors import DataError, UsageError
from layouts import SPLITS, Layout, Original

MOST_UNREADABLE = 0.05
# Of pictures that are the same, the test's stays, for it decides; training gives its own up first.
_KEPT_FIRST = (contract.TEST, contract.VALIDATION, contract.TRAINING)
_SHOWN = 3


@dataclass(frozen=True)
class Made:
    """What became of an original: the hash of the stored picture, or the reason why there is none."""

    sha256: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Selection:
    """The pictures that stay, each in its split, and those that do not."""

    classes: tuple[str, ...]
    kept: Mapping[Original, str]
    drops: tuple[Drop, ...]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many pictures each class has in each split."""
        found = Counter((one.split, one.class_name) for one in self.kept)
        return {split: {name: found[split, name] for name in self.classes} for split in SPLITS}


def shares(text: str) -> dict[str, float]:
    """The shares of train, validation and test."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != len(SPLITS) or not all(0 < one < 1 for one in numbers) or abs(sum(numbers) - 1) > 1e-6:
        raise UsageError(f"{contract.FLAG_SPLITS} is {text!r}; give three shares that add up to 1, as in 0.8,0.1,0.1")
    return dict(zip(SPLITS, numbers, strict=True))


def select(layout: Layout, made: Mapping[Original, Made], parts: Mapping[str, float], least: int) -> Selection:
    """The data set of a layout, once every picture was looked at."""
    unreadable = tuple(Drop(one.name, result.reason) for one, result in made.items() if result.reason)
    _check_readable(unreadable, len(made))
    readable = {one: result.sha256 for one, result in made.items() if not result.reason}
    kept, twins = _without_twins(readable)
    drops = tuple(sorted((*layout.drops, *unreadable, *twins), key=lambda drop: drop.path))
    check_classes(layout.classes, kept, [split for split in SPLITS if split not in layout.missing], drops)
    selection = Selection(layout.classes, _cut(kept, layout.missing, parts), drops)
    _check_enough(selection, least)
    return selection


def check_classes(
    classes: Sequence[str], kept: Iterable[Original], splits: Sequence[str], drops: Sequence[Drop] = ()
) -> None:
    """At least two classes, and none that is empty in a split."""
    if len(classes) < 2:
        raise DataError(f"has one class only ({classes[0]}), and there is nothing to tell apart; add another")
    found = {(one.split, one.class_name) for one in kept}
    empty = [(name, split) for split in splits for name in classes if (split, name) not in found]
    if empty:
        theirs = [drop for drop in drops if any(f"/{name}/" in f"/{drop.path}" for name, _ in empty)]
        places = _some([f"{name} in {split}" for name, split in empty])
        told = f" ({_shown(theirs)})" if theirs else ""
        raise DataError(f"no picture of {places}{told}; add pictures, or remove the class everywhere")


def _check_readable(unreadable: Sequence[Drop], total: int) -> None:
    if len(unreadable) > MOST_UNREADABLE * total:
        raise DataError(
            f"{len(unreadable)} of {total} pictures cannot be used, more than {MOST_UNREADABLE:.0%}: "
            f"{_shown(unreadable)}; mend or remove them"
        )


def _without_twins(readable: Mapping[Original, str]) -> tuple[dict[Original, str], list[Drop]]:
    kept: dict[Original, str] = {}
    first: dict[str, Original] = {}
    twins = []
    for one in sorted(readable, key=lambda one: (_KEPT_FIRST.index(one.split), one)):
        other = first.setdefault(readable[one], one)
        if other is one:
            kept[one] = readable[one]
        else:
            twins.append(Drop(one.name, f"is the same picture as {other.name}{_disagreement(one, other)}"))
    return kept, twins


def _disagreement(one: Original, other: Original) -> str:
    return "" if one.class_name == other.class_name else f", which is in class {other.class_name}"


def _cut(kept: Mapping[Original, str], missing: Sequence[str], parts: Mapping[str, float]) -> dict[Original, str]:
    """The missing splits, cut from training class by class in the order of the hashes: as good as drawn, and fixed."""
    by_class: dict[str, list[Original]] = defaultdict(list)
    for one in sorted((one for one in kept if one.split == contract.TRAINING), key=lambda one: kept[one]):
        by_class[one.class_name].append(one)
    moved: dict[Original, str] = {}
    whole = parts[contract.TRAINING] + sum(parts[split] for split in missing)
    for name, pictures in by_class.items():
        sizes = {split: max(1, math.floor(len(pictures) * parts[split] / whole + 0.5)) for split in missing}
        if sum(sizes.values()) >= len(pictures):
            raise DataError(f"{name} has {len(pictures)} pictures, too few to split; add some, or remove the class")
        rest = iter(pictures)
        moved |= {next(rest): split for split, size in sizes.items() for _ in range(size)}
    return {replace(one, split=moved.get(one, one.split)): sha256 for one, sha256 in kept.items()}


def _check_enough(selection: Selection, least: int) -> None:
    training = selection.counts()[contract.TRAINING]
    few = [f"{name} ({count})" for name, count in training.items() if count < least]
    if few:
        raise DataError(
            f"too few pictures to train: {_some(few)}, at least {least} each; "
            f"add some, or lower {contract.FLAG_LEAST_PER_CLASS}"
        )


def _shown(drops: Sequence[Drop]) -> str:
    return _some([f"{drop.path} {drop.reason.partition(';')[0]}" for drop in drops])


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more
