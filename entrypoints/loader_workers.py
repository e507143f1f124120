"""Reads the batches of a loader, and reports worker processes that end, where a batch is awaited and nowhere else.

Torch raises an error in the handler of SIGCHLD, so the end of a worker would stop the training at any point: in the
middle of a step, or while a file is written. Here a worker that ended is reported when the next batch is needed. Its
end can also show in other ways before the system reports it, for example as a connection that is reset.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import ProcessError, active_children, connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar, cast

import torch
from torch.utils import data

from errors import DataError

Batch = tuple[torch.Tensor, torch.Tensor]
T = TypeVar("T")
_GRACE_SECONDS = 10.0  # how long a worker whose connection is gone may take to end
_ALARM_SECONDS = 5.0  # so long after torch's own time-out, which comes first wherever it can
_SIGNS_OF_LITTLE_MEMORY = (signal.SIGKILL, signal.SIGBUS)
_GUESS = "most likely because of too little memory or shared memory"
_REMEDY = "give fewer --workers, or 0"


class WatchedLoader:
    """A DataLoader whose workers are watched while a batch is awaited."""

    def __init__(self, loader: data.DataLoader[Any], grace_seconds: float = _GRACE_SECONDS) -> None:
        self._loader, self._grace_seconds = loader, grace_seconds
        self._workers: set[BaseProcess] = set()
        self._is_waiting = False

    def batches(self) -> Iterator[Batch]:
        """Yields the batches; raises DataError with the reason if they stop."""
        batches = self._await(self._start)
        while (batch := self._await(lambda: next(batches, None))) is not None:
            yield batch

    def _start(self) -> Iterator[Batch]:
        """Starts the workers, or lets those of the last epoch go on."""
        before = set(active_children())
        batches = iter(self._loader)
        self._workers |= set(active_children()) - before
        if len(self._workers) < self._loader.num_workers:
            raise _ended_early()
        return batches

    def _await(self, step: Callable[[], T]) -> T:
        try:
            return self._watched(step)
        except DataError as error:
            # An error of a worker comes with its traceback; the reason is at the end.
            raise DataError(str(error).rpartition("DataError: ")[2].strip()) from None
        except (RuntimeError, OSError, EOFError, ProcessError) as error:
            explained = self._explain(error)
            if explained is None:
                raise
            raise explained from None

    def _watched(self, step: Callable[[], T]) -> T:
        self._listen()
        self._is_waiting = True
        try:
            self._raise_if_ended()
            with self._alarm():
                return step()
        finally:
            self._is_waiting = False
            self._listen()  # again: torch sets its own handler when it starts the first workers

    @contextmanager
    def _alarm(self) -> Iterator[None]:
        """Ends a wait that torch's time-out does not: a worker that stands still passes on no batch's memory."""
        if not self._loader.timeout or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGALRM, _raise_timeout)
        signal.setitimer(signal.ITIMER_REAL, self._loader.timeout + _ALARM_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _listen(self) -> None:
        if self._loader.num_workers and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGCHLD, self._on_child_signal)

    def _on_child_signal(self, _signal: int, _frame: object) -> None:
        if self._is_waiting:
            self._raise_if_ended()

    def _raise_if_ended(self) -> None:
        if ended := self._ended():
            raise ended

    def _ended(self) -> DataError | None:
        """Returns the error for a worker that ended, if there is one."""
        return next((_error(worker) for worker in self._workers if worker.exitcode is not None), None)

    def _explain(self, error: Exception) -> DataError | None:
        """Returns the error for the user; None for a bug."""
        message = str(error)
        if message.startswith("DataLoader timed out"):
            return DataError(
                f"no batch has come from the worker processes for {self._loader.timeout / 60:g} minutes",
                "check the disk with the pictures, give --workers 0 to read without them, or more --wait-minutes",
            )
        if "Too many open files" in message:
            return DataError("there are too many open files", f"raise the limit with ulimit -n, or {_REMEDY}")
        if not self._workers:
            return _ended_early() if message.startswith("DataLoader worker") else None
        sentinels = {worker.sentinel: worker for worker in self._workers}
        for sentinel in connection.wait(list(sentinels), self._grace_seconds):
            sentinels[cast("int", sentinel)].join()  # a process closes its files a moment before it has ended
        return self._ended()


def _raise_timeout(_signal: int, _frame: object) -> None:
    raise RuntimeError("DataLoader timed out while it received the memory of a batch")


def _ended_early() -> DataError:
    return DataError(f"a DataLoader worker ended as it started, {_GUESS}", _REMEDY)


def _error(worker: BaseProcess) -> DataError:
    """Returns the error for a worker that ended."""
    code = worker.exitcode or 0
    if code >= 0:
        return DataError(f"DataLoader worker {worker.pid} ended with exit code {code}", _REMEDY)
    cause = f"DataLoader worker {worker.pid} was killed by signal {-code} ({signal.strsignal(-code)})"
    if -code in _SIGNS_OF_LITTLE_MEMORY:
        return DataError(f"{cause}, {_GUESS}", _REMEDY)
    return DataError(cause, f"run it again; if that does not help, {_REMEDY}")
