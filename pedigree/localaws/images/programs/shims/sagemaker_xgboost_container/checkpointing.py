"""Checkpoints: xgboost-checkpoint.N has the model after round N, and the newest five are kept."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import xgboost
from xgboost.core import XGBoostError

CHECKPOINT_FILENAME = "xgboost-checkpoint"
_USUAL_ROUNDS = 10
_KEPT = 5
# AWS leaves a file of this name where it is.
_TEMPORARY = ".sagemaker-ignore"


def train(train_args: dict[str, Any], checkpoint_dir: str) -> xgboost.Booster:
    """xgboost.train with these arguments, which writes checkpoints and goes on from the newest one."""
    model, done = load_checkpoint(checkpoint_dir)
    callbacks = [*train_args.get("callbacks", []), save_checkpoint(checkpoint_dir, start_iteration=done)]
    rounds = train_args.get("num_boost_round", _USUAL_ROUNDS) - done
    return xgboost.train(**{**train_args, "num_boost_round": rounds, "xgb_model": model, "callbacks": callbacks})


def load_checkpoint(checkpoint_dir: str | None, max_try: int = 5) -> tuple[str | None, int]:
    """The newest checkpoint that can be read, and how many rounds it has; None and 0 if there is none."""
    for round_, path in sorted(_checkpoints(checkpoint_dir), reverse=True)[:max_try]:
        try:
            xgboost.Booster(model_file=str(path))
        except XGBoostError:
            logging.warning("Wrong checkpoint model format %s", path.name)
        else:
            return str(path), round_ + 1
    return None, 0


def save_checkpoint(
    checkpoint_dir: str,
    start_iteration: int = 0,
    max_to_keep: int = _KEPT,
    num_round: int | None = None,  # noqa: ARG001  # AWS's arguments
    rank: int = 0,
    iteration: int = 0,  # noqa: ARG001
    end_iteration: int | None = None,  # noqa: ARG001
) -> SaveCheckpointCallBack:
    """A callback that writes a checkpoint after each round."""
    return SaveCheckpointCallBack(checkpoint_dir, start_iteration, max_to_keep, rank=rank)


class SaveCheckpointCallBack(xgboost.callback.TrainingCallback):
    """Writes a checkpoint after each round, and removes its own older ones."""

    def __init__(
        self, checkpoint_dir: str, start_iteration: int = 0, max_to_keep: int = _KEPT, *, rank: int = 0
    ) -> None:
        super().__init__()
        self.folder = Path(checkpoint_dir)
        self.start_iteration = start_iteration or load_checkpoint(checkpoint_dir)[1]
        self.max_to_keep = max_to_keep
        self.rank = rank
        self.folder.mkdir(parents=True, exist_ok=True)

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002  # xgboost's
        """Write one."""
        if self.rank == 0:
            round_ = self.start_iteration + epoch
            save_model(model, self.folder / f"{CHECKPOINT_FILENAME}.{round_}")
            if round_ - self.max_to_keep >= self.start_iteration:
                (self.folder / f"{CHECKPOINT_FILENAME}.{round_ - self.max_to_keep}").unlink(missing_ok=True)
        return False


SaveCheckpoint = SaveCheckpointCallBack  # its name in older images


def save_model(model: xgboost.Booster, path: Path) -> None:
    """Write a model as the library's newer versions do."""
    write_whole(path, model.save_raw("ubj"))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, or leave what is there."""
    temporary = path.with_name(f"{path.name}{_TEMPORARY}")
    temporary.write_bytes(content)
    temporary.replace(path)


def _checkpoints(folder: str | None) -> list[tuple[int, Path]]:
    if not folder or not Path(folder).is_dir():
        return []
    found = [(re.fullmatch(rf"{CHECKPOINT_FILENAME}\.(\d+)", path.name), path) for path in Path(folder).iterdir()]
    return [(int(match[1]), path) for match, path in found if match]
