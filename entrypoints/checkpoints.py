"""Saves and loads checkpoints: everything that a training needs to continue from the exact step where it stopped.

SageMaker can take a spot instance back with a notice that never reaches the script, so a checkpoint is saved every few
minutes and not only at the end of an epoch. It is written atomically, in a folder named after a hash of the training's
inputs, so that no other training resumes from it. SageMaker copies the folder to S3 and back.
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

STATE, TRAINER_STATE = "state", "machinery"
_FILE = "checkpoint.pt"
_FORMAT = 2
log = logging.getLogger(__name__)


class Checkpoints:
    """The checkpoint folder of one training, and when the next checkpoint is due; None saves nothing."""

    def __init__(self, folder: Path | None, minutes: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder, self._seconds, self._clock = folder, 60 * minutes, clock
        self._saved = clock()

    @classmethod
    def for_training(cls, base: Path, minutes: float, identity: Mapping[str, Any]) -> Checkpoints:
        """Returns the checkpoints of the training that these inputs identify."""
        text = json.dumps({**identity, "format": _FORMAT}, sort_keys=True)
        return cls(base / hashlib.sha256(text.encode()).hexdigest()[:16], minutes)

    def is_due(self) -> bool:
        return self.folder is not None and self._seconds > 0 and self._clock() - self._saved >= self._seconds

    def save(self, state: Mapping[str, Any], trainer_state: Mapping[str, Any] | None) -> bool:
        """Saves the progress, and the trainer's state unless the training is over. Returns whether that succeeded.

        A failure is only logged: the training itself can go on.
        """
        if self.folder is None:
            return False
        self._saved = self._clock()
        unfinished = self.folder / f"{_FILE}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                torch.save({STATE: dict(state), TRAINER_STATE: trainer_state}, file)
                os.fsync(file.fileno())
            unfinished.replace(self.folder / _FILE)
        except (OSError, RuntimeError) as error:  # torch has no exception class for a full disk
            unfinished.unlink(missing_ok=True)
            log.warning("cannot save a checkpoint in %s (%s); the previous one, if any, is kept", self.folder, error)
            return False
        return True

    def load(self) -> dict[str, Any] | None:
        """Returns the last checkpoint, or None."""
        path = None if self.folder is None else self.folder / _FILE
        if path is None or not path.is_file():
            return None
        try:
            checkpoint = _read(path)
            position, is_over = (
                (checkpoint[STATE]["epoch"] + 1, checkpoint[STATE]["step"]),
                checkpoint[TRAINER_STATE] is None,
            )
        except Exception as error:  # torch's unpickler can raise any type
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            raise ModelError(f"{path} is damaged ({reason})", "delete it to start again") from error
        if is_over:
            log.info("%s shows that this training is already complete", path)
        else:
            log.info("resumed from %s: epoch %d, step %d", path, *position)
        return checkpoint


def _read(path: Path) -> dict[str, Any]:
    with ZipFile(path) as archive:
        corrupt_member = archive.testzip()  # torch.load does not verify checksums
    if corrupt_member:
        raise ValueError(f"{corrupt_member} has a wrong checksum")
    checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return checkpoint
