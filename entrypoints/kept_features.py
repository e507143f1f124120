"""The file in which features lie for the next training: it is there whole or not at all, and none is missed."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp

import numpy as np

from scratch import Table

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kept:
    """The place of the features of one split, or none."""

    path: Path | None

    def load(self, count: int) -> Table | None:
        """The features that an earlier training has kept, if they are of as many pictures."""
        if self.path is None or not self.path.is_file():
            return None
        try:
            # Copied as soon as somebody writes: torch takes no array that cannot be written to.
            found: Table = np.load(self.path, mmap_mode="c")
        except (OSError, ValueError, EOFError) as error:
            log.warning("%s cannot be read (%s); the features are computed again", self.path, error)
            return None
        return found if found.dtype == np.float32 and found.ndim == 2 and len(found) == count else None

    def save(self, features: Table) -> None:
        """Keep features; where they cannot be kept, this training goes on with them all the same."""
        if self.path is None:
            return
        try:
            self._save(self.path, features)
        except OSError as error:
            log.warning("the features are not kept in %s: %s", self.path.parent, error)

    def _save(self, path: Path, features: Table) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = mkstemp(dir=path.parent, suffix=".npy")
        os.close(handle)
        try:
            np.save(name, features)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
