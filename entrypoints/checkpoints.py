"""Checkpoints: all that a training needs to go on from the very step at which it was stopped, or ended.

A spot machine may be taken back with a notice that never reaches the script, so a checkpoint is saved every few
minutes, and not only where it is asked for. It appears whole or not at all, and lies under a name made of what is
trained, so that none is resumed by another training. SageMaker copies the folder to S3, and brings it back.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import torch

from errors import ModelError

STATE, MACHINERY = "state", "machinery"
_FILE = "checkpoint.pt"
_FORMAT = 2
log = logging.getLogger(__name__)


class Checkpoints:
    """The folder of one training's checkpoints, or none; and when the next one is due."""

    def __init__(self, folder: Path | None, minutes: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder, self._seconds, self._clock = folder, 60 * minutes, clock
        self._saved = clock()

    @classmethod
    def of(cls, base: Path, minutes: float, identity: Mapping[str, Any]) -> Checkpoints:
        """Those of a training with such an identity."""
        text = json.dumps({**identity, "format": _FORMAT}, sort_keys=True)
        return cls(base / hashlib.sha256(text.encode()).hexdigest()[:16], minutes)

    def is_due(self) -> bool:
        """Whether the last one is so old that another should be saved, wherever the training is."""
        return self.folder is not None and self._seconds > 0 and self._clock() - self._saved >= self._seconds

    def save(self, state: Mapping[str, Any], machinery: Mapping[str, Any] | None) -> bool:
        """Save how far a training is in the place of the one before, and whether that was possible.

        With it goes the machinery by which it goes on, unless it is over. Work that cannot be saved is not yet lost.
        """
        if self.folder is None:
            return False
        self._saved = self._clock()
        unfinished = self.folder / f"{_FILE}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                torch.save({STATE: dict(state), MACHINERY: machinery}, file)
                os.fsync(file.fileno())
            unfinished.replace(self.folder / _FILE)
        except (OSError, RuntimeError) as error:  # torch has no class for a disk that is full
            unfinished.unlink(missing_ok=True)
            log.warning("no checkpoint is saved in %s (%s); the one before stays, if there is one", self.folder, error)
            return False
        return True

    def load(self) -> dict[str, Any] | None:
        """What was saved last; None where there is none."""
        path = None if self.folder is None else self.folder / _FILE
        if path is None or not path.is_file():
            return None
        try:
            found = _read(path)
            place, is_over = (found[STATE]["epoch"] + 1, found[STATE]["step"]), found[MACHINERY] is None
        except Exception as error:  # torch raises whatever its unpickler meets
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            raise ModelError(f"{path} is damaged ({reason}); delete it to begin anew") from error
        if is_over:
            log.info("%s is of this very training, which is over", path)
        else:
            log.info("resumed from %s: epoch %d, step %d", path, *place)
        return found


def _read(path: Path) -> dict[str, Any]:
    with ZipFile(path) as archive:
        broken = archive.testzip()  # torch takes numbers without looking at their checksum
    if broken:
        raise ValueError(f"{broken} has another checksum")
    found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return found
