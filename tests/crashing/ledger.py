"""Reads the notes that steps append to a file outside of every sandbox: when each began and ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

# A line is one write to a file that is open for appending, so lines never mix.
SHELL = """note() { printf '%s %s %s\\n' "$1" "$2" "$(date +%s.%N)" >> "$LEDGER"; }; """


@dataclass(frozen=True)
class LedgerEntry:
    """A step began or ended at a moment."""

    step: str
    what: str
    moment: float


def read(path: Path) -> Mapping[str, Sequence[LedgerEntry]]:
    """The notes of each step in the order of time."""
    found: dict[str, list[LedgerEntry]] = defaultdict(list)
    for line in path.read_text().splitlines() if path.exists() else ():
        step, what, moment = line.split()
        found[step].append(LedgerEntry(step, what, float(moment)))
    return {step: sorted(entries, key=lambda entry: entry.moment) for step, entries in found.items()}


def begun_twice(entries: Sequence[LedgerEntry], boundaries: Sequence[float]) -> Iterator[str]:
    """Steps that began twice under one daemon; a boundary lies between one daemon's time and the next one's.

    A step that starts just before the kill may write its first line after it, so the moment of the kill is no boundary.
    """
    begun = [entry for entry in entries if entry.what == "begin"]
    for earlier, later in pairwise(begun):
        if not any(earlier.moment < boundary < later.moment for boundary in boundaries):
            yield f"{later.step} began at {earlier.moment:.3f} and again at {later.moment:.3f} under one daemon"


def begun_after_the_end(entries: Sequence[LedgerEntry], noted: float) -> Iterator[str]:
    """Steps that began after the service had reported their end."""
    for entry in entries:
        if entry.what == "begin" and entry.moment > noted:
            yield f"{entry.step} began at {entry.moment:.3f}, and had ended at {noted:.3f}"


def finished_again(entries: Sequence[LedgerEntry]) -> int:
    """How often a step ran again although its process had finished: it finished while no daemon ran."""
    return max(0, sum(entry.what == "end" for entry in entries) - 1)
