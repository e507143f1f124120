"""What steps write down themselves, outside of every sandbox: who began and ended when. Nobody can take it back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

# A line is one write to a file that is open for appending, so lines never mix.
SHELL = """note() { printf '%s %s %s\\n' "$1" "$2" "$(date +%s.%N)" >> "$LEDGER"; }; """


@dataclass(frozen=True)
class Entry:
    """A step began, or ended, at a moment."""

    step: str
    what: str
    moment: float


def read(path: Path) -> Mapping[str, Sequence[Entry]]:
    """What each step has written, in the order in which it was."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for line in path.read_text().splitlines() if path.exists() else ():
        step, what, moment = line.split()
        found[step].append(Entry(step, what, float(moment)))
    return {step: sorted(entries, key=lambda one: one.moment) for step, entries in found.items()}


def repeated(entries: Sequence[Entry], borders: Sequence[float]) -> Iterator[str]:
    """Where a step began twice under one daemon; borders are between one daemon's time and the next one's.

    What a daemon starts just before it is killed may write its first line afterwards: so a kill is no border.
    """
    begun = [one for one in entries if one.what == "begin"]
    for earlier, later in pairwise(begun):
        if not any(earlier.moment < border < later.moment for border in borders):
            yield f"{later.step} began at {earlier.moment:.3f} and again at {later.moment:.3f} under one daemon"


def after_the_end(entries: Sequence[Entry], noted: float) -> Iterator[str]:
    """Where a step began after the service had said that it had ended."""
    for one in entries:
        if one.what == "begin" and one.moment > noted:
            yield f"{one.step} began at {one.moment:.3f}, and had ended at {noted:.3f}"


def run_again_though_done(entries: Sequence[Entry]) -> int:
    """How often a step's process had come to its end, and was run again: it ended when nobody was there to see it."""
    return max(0, sum(one.what == "end" for one in entries) - 1)
