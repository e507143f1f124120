"""Creates the loaders of batches, whose worker processes fail with clear errors instead of endless waiting.

A worker passes a batch in shared memory, and the handle of that memory through a socket in the temporary folder. If one
of these is not available, a thread inside the worker fails unnoticed and the batch never comes. So both are tried where
an error is reported, and waiting has a time-out.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Listener

import torch
from torch.utils import data

from errors import DataError
from loader_workers import Batch, WatchedLoader
from picture_dataset import DistributedBatchSampler, PictureDataset


def create(
    dataset: PictureDataset, sampler: DistributedBatchSampler, workers: int, pinned: bool, timeout_seconds: float
) -> WatchedLoader:
    """Creates a loader that reads ahead in worker processes, with a time-out for each batch."""
    return WatchedLoader(
        data.DataLoader(
            dataset,
            batch_sampler=sampler,
            num_workers=workers,
            pin_memory=pinned,
            persistent_workers=bool(workers),
            collate_fn=collate,
            timeout=timeout_seconds if workers else 0,
            multiprocessing_context="fork" if workers and sys.platform == "linux" else None,
            worker_init_fn=_start_worker,
        )
    )


def kill_workers() -> None:
    """Kills the worker processes: they ignore SIGTERM, and Python would wait for them at exit for ever."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for worker in multiprocessing.active_children():
        worker.kill()


def collate(items: Sequence[tuple[torch.Tensor, int]]) -> Batch:
    """Stacks pictures into one tensor, in shared memory if a worker does it."""
    pixels, targets = zip(*items, strict=True)
    if data.get_worker_info() is None:
        return torch.stack(pixels), torch.tensor(targets)
    buffer = _in_shared_memory(torch.empty((len(pixels), *pixels[0].shape), dtype=pixels[0].dtype))
    return torch.stack(pixels, out=buffer), _in_shared_memory(torch.tensor(targets))


def _in_shared_memory(values: torch.Tensor) -> torch.Tensor:
    try:
        return values.share_memory_()
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        raise DataError(
            f"a batch of {values.nbytes / 1e6:.1f} MB does not fit into shared memory ({reason})",
            "use a smaller --batch-size, fewer --workers or 0, or give the container more (docker: --shm-size)",
        ) from None


def _start_worker(_number: int) -> None:
    # A launcher's signal reaches all processes, and a worker that ends also ends its parent.
    for stop_signal in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop_signal, signal.SIG_IGN)
    # Torch's handlers write a line of their own; the parent reports these signals.
    for fatal_signal in (signal.SIGBUS, signal.SIGSEGV, signal.SIGFPE):
        signal.signal(fatal_signal, signal.SIG_DFL)
    try:
        Listener().close()
    except OSError as error:
        raise DataError(
            f"worker processes cannot send batches: no socket can be opened in {tempfile.gettempdir()} "
            f"({error.strerror or error})",
            "name another folder with TMPDIR, or give --workers 0",
        ) from None
