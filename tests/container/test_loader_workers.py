"""Worker processes that end while train.py needs them: one line with cause and remedy, at every moment."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch.utils.data import DataLoader, Dataset
from train_process import PATIENCE, WHOLE, start

from errors import DataError
from loader_workers import Batch, WatchedLoader

KILLING = """
import multiprocessing, os, signal
import checkpoints, command, data_loader, picture_dataset, train, trainer, training_state
own = os.getpid()
original = {target}
def killing(*arguments, **named):
    workers = [os.getpid()] if os.getpid() != own else [worker.pid for worker in multiprocessing.active_children()]
    for worker in workers:
        os.kill(worker, signal.{signal})
    for worker in multiprocessing.active_children():
        worker.join()
    return original(*arguments, **named)
{target} = killing
command.run(train.main)
"""
"""Training in which workers are killed whenever a function is called; one that workers call kills the caller."""

LITTLE_MEMORY = "most likely because of too little memory or shared memory; give fewer --workers, or 0"
KILLED = f"DataLoader worker \\d+ was killed by signal 9 \\(Killed\\), {LITTLE_MEMORY}"
MOMENTS = {
    "in a step": "trainer.Trainer._step",
    "while measuring": "trainer.Trainer._evaluate_batch",
    "between epochs": "training_state.TrainingState.add",
    "while saving": "checkpoints.Checkpoints.save",
    "while reading": "picture_dataset.PictureDataset.__getitem__",
}
HOW = (*WHOLE, "--epochs", "500", "--workers", "1")


def error_line(data: Path, folder: Path, code: str, *more: object) -> str:
    """Returns what a training writes to standard error, which must be one line."""
    process = start("--data", data, *HOW, "--model-dir", folder / "model", *more, code=code)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2, err[-3000:]
    assert err.count("\n") == 1
    return err.rstrip("\n").partition(": ")[2]


@pytest.mark.parametrize("target", MOMENTS.values(), ids=MOMENTS.keys())
def test_a_worker_that_is_killed_at_any_moment_is_one_line(target: str, data: Path, tmp_path: Path) -> None:
    checkpoints = ("--checkpoint-dir", tmp_path / "checkpoints", "--checkpoint-minutes", 0)
    line = error_line(data, tmp_path, KILLING.format(target=target, signal="SIGKILL"), *checkpoints)
    assert re.fullmatch(KILLED, line)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("SIGSEGV", r"DataLoader worker \d+ was killed by signal 11 \(Segmentation fault\); run it again; if that .*"),
        ("SIGBUS", rf"DataLoader worker \d+ was killed by signal 7 \(Bus error\), {LITTLE_MEMORY}"),
    ],
)
def test_a_worker_that_crashes_is_one_line_with_the_signal(name: str, line: str, data: Path, tmp_path: Path) -> None:
    code = KILLING.format(target=MOMENTS["while reading"], signal=name)
    assert re.fullmatch(line, error_line(data, tmp_path, code))


def test_workers_that_are_killed_as_they_start_are_one_line(data: Path, tmp_path: Path) -> None:
    line = error_line(data, tmp_path, KILLING.format(target="data_loader._start_worker", signal="SIGKILL"))
    assert re.fullmatch(rf"{KILLED}|a DataLoader worker ended as it started, {LITTLE_MEMORY}", line)


class BrokenLoader:
    """A loader with one worker, which is killed before a batch fails with an error."""

    num_workers, timeout = 1, 60

    def __init__(self, error: Exception, *, kills: bool = True) -> None:
        self.error, self.kills = error, kills
        self.worker: BaseProcess = multiprocessing.get_context("fork").Process(target=time.sleep, args=(PATIENCE,))

    def __iter__(self) -> Iterator[Batch]:
        self.worker.start()
        return self

    def __next__(self) -> Batch:
        # The connection may break before the system reports the end.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if self.kills:
            self.worker.kill()
        raise self.error


def failure(loader: BrokenLoader) -> Exception:
    """Returns the error with which the loader's batches end."""
    watched = WatchedLoader(cast("DataLoader[Any]", loader), PATIENCE if loader.kills else 0.01)
    try:
        with pytest.raises((DataError, RuntimeError)) as caught:
            next(watched.batches())
        return caught.value
    finally:
        loader.worker.kill()
        loader.worker.join()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("DataLoader worker (pid(s) 7) exited unexpectedly"),
        RuntimeError("received 0 items of ancdata"),
        EOFError(),
        ConnectionResetError(104, "Connection reset by peer"),
        ConnectionRefusedError(111, "Connection refused"),
        FileNotFoundError(2, "No such file or directory"),
        multiprocessing.AuthenticationError("digest received was wrong"),
    ],
    ids=repr,
)
def test_every_error_that_the_end_of_a_worker_causes_is_reported_as_that(error: Exception) -> None:
    found = failure(BrokenLoader(error))
    assert isinstance(found, DataError)
    assert re.fullmatch(KILLED, str(found))


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError("DataLoader timed out after 60 seconds"), "no batch has come .* for 1 minutes; check the disk"),
        (RuntimeError("Too many open files. Communication"), "too many open files; raise the limit with ulimit -n"),
        (OSError(24, "Too many open files"), "too many open files; raise the limit with ulimit -n"),
    ],
)
def test_a_loader_that_fails_while_its_workers_run_says_why(error: Exception, line: str) -> None:
    found = failure(BrokenLoader(error, kills=False))
    assert isinstance(found, DataError)
    assert re.search(line, str(found))


class Rows(Dataset[torch.Tensor]):
    """Endless rows, as the workers of a training read them: into shared memory."""

    def __len__(self) -> int:
        return 1000

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.full((8,), float(index)).share_memory_()


def test_a_worker_that_stands_still_with_a_batch_ready_is_one_line() -> None:
    fork = multiprocessing.get_context("fork")
    loader = DataLoader(Rows(), num_workers=1, timeout=1, persistent_workers=True, multiprocessing_context=fork)
    batches = WatchedLoader(loader, 0.01).batches()
    next(batches)
    [worker] = multiprocessing.active_children()
    deadline = time.monotonic() + PATIENCE
    while loader._iterator._worker_result_queue.empty():
        assert time.monotonic() < deadline
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    try:
        with pytest.raises(DataError, match="no batch has come from the worker processes"):
            list(batches)
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        worker.kill()
        worker.join()


def test_a_bug_is_not_reported_as_a_worker_that_ended() -> None:
    error = RuntimeError("a bug")
    assert failure(BrokenLoader(error, kills=False)) is error
