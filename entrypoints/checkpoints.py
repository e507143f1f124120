"""Checkpoints: all that a training needs to go on from the very step at which it was stopped.

SageMaker takes spot machines back with a SIGTERM and two minutes of notice, and copies the folder to S3. A checkpoint
appears whole or not at all, and lies under a name made of what is trained, so that none is resumed by another training.
"""

from __future__ import annotations

import hashlib
import json
import logging
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

_FILE = "checkpoint.pt"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoints:
    """The folder of one training's checkpoints, or none."""

    folder: Path | None

    @classmethod
    def of(cls, base: Path | None, identity: Mapping[str, Any]) -> Checkpoints:
        """Those of a training with such an identity."""
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
        return cls(base / digest if base else None)

    def save(self, state: Mapping[str, Any]) -> None:
        """Save a state in the place of the one before."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / f"{_FILE}.part"
        torch.save(dict(state), unfinished)
        unfinished.replace(self.folder / _FILE)

    def load(self) -> dict[str, Any] | None:
        """The state that was saved last; None where there is none."""
        path = None if self.folder is None else self.folder / _FILE
        if path is None or not path.is_file():
            return None
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        log.info("resumed from %s: epoch %d, step %d", path, state["epoch"] + 1, state["step"])
        return state


class Stop:
    """Whether somebody asked the training to stop: it does so after the step that it is at."""

    def __init__(self) -> None:
        self.asked = False

    def listen(self) -> None:
        """Hear SIGTERM from now on."""
        signal.signal(signal.SIGTERM, self._hear)

    def _hear(self, _signal: int, _frame: object) -> None:
        self.asked = True
