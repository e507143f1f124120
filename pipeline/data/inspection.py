"""What a folder, a zip or an address of pictures contains, as entrypoints/inspect_source.py reports it.

The script runs in a process of its own: scripts import each other by plain names, and only they know what PrepareData
will accept.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from entrypoints import contract
from pipeline.data.errors import BrokenDownloadError, DataSetError
from pipeline.source import scripts_folder

LEAST_TO_TRAIN = 5  # what prepare.py demands of each class
_SCRIPT = "inspect_source.py"
# The exit codes of the script for what a user can correct.
_MISTAKES = {2: DataSetError, 75: BrokenDownloadError}
_INTERRUPTED_EXIT = 130
_EXAMPLES = 3


@dataclass(frozen=True)
class Inspection:
    """The pictures of a source: where they lie, how many there are of each class in each split, and how large."""

    path: Path
    counts: Mapping[str, Mapping[str, int]]
    missing_splits: tuple[str, ...]
    side: int
    """The median of the shorter sides, in pixels."""
    gray_share: float
    pictures: tuple[str, ...]
    """The names of the files, below the path."""
    drops: tuple[tuple[str, str], ...]

    @property
    def classes(self) -> Mapping[str, int]:
        """The number of pictures of each class, over all splits."""
        totals: Counter[str] = Counter()
        for of_classes in self.counts.values():
            totals.update(of_classes)
        return totals

    def drop_notes(self) -> Iterator[str]:
        """A line for the first files that are left out."""
        yield from (f"left out: {path} {reason}" for path, reason in self.drops[:_EXAMPLES])
        if len(self.drops) > _EXAMPLES:
            yield f"left out: {len(self.drops) - _EXAMPLES} more"


def inspect(address: str, download_folder: Path | None = None) -> Inspection:
    """The inspection of a source; raises DataSetError if nothing can be trained on it.

    A remote source is downloaded to the folder, which may hold a part of it from before.
    """
    script = scripts_folder() / _SCRIPT
    flags = ["--download-dir", str(download_folder)] if download_folder else []
    command = [sys.executable, str(script), contract.FLAG_SOURCE, address, *flags]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)  # noqa: S603  # the project's own script
    if done.returncode == _INTERRUPTED_EXIT:
        raise KeyboardInterrupt
    if done.returncode and done.returncode not in _MISTAKES:
        raise RuntimeError(f"{_SCRIPT} ended with {done.returncode}")  # its traceback is on standard error
    document = json.loads(done.stdout)
    if done.returncode:
        raise _MISTAKES[done.returncode](document["cause"], document["remedy"])
    return checked(address, parsed(document))


def parsed(document: Mapping[str, Any]) -> Inspection:
    """The inspection that the script has printed."""
    return Inspection(
        Path(document["path"]),
        document["counts"],
        tuple(document["missing_splits"]),
        document["side"],
        document["gray_share"],
        tuple(document["pictures"]),
        tuple((path, reason) for path, reason in document["drops"]),
    )


def checked(address: str, inspection: Inspection) -> Inspection:
    """The inspection; raises DataSetError if a class has too few pictures to train on."""
    if inspection.missing_splits:
        counts, least, where = inspection.classes, LEAST_TO_TRAIN + len(inspection.missing_splits), ""
    else:
        counts, least, where = inspection.counts[contract.TRAINING], LEAST_TO_TRAIN, f" in {contract.TRAINING}"
    too_few = [name for name, count in counts.items() if count < least]
    if too_few:
        raise DataSetError(
            f"{address}: too few to train on{where}, {_examples(too_few, counts)}",
            f"give each class {least} or more, or leave it out",
        )
    return inspection


def _examples(names: Sequence[str], counts: Mapping[str, int]) -> str:
    more = f" and {len(names) - _EXAMPLES} more classes" if len(names) > _EXAMPLES else ""
    return ", ".join(f"{counts[name]} of {name}" for name in names[:_EXAMPLES]) + more
