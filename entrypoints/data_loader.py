"""The processes that decode pictures ahead, and what can be wrong with them, told instead of waited for.

A batch comes in memory that the processes share, and the handle of that memory over a socket in the folder for
temporary files. Where one of them cannot be had, a thread of the worker would fail that nobody listens to, and the
batch would be waited for for ever. So both are tried where their failure is heard, and waiting has an end.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Listener
from typing import Any

import torch
from torch.utils import data

from errors import DataError
from picture_dataset import Pictures, Share

Batch = tuple[torch.Tensor, torch.Tensor]
_NOTHING_CAME = (
    "no batch has come from the worker processes for {:g} minutes; see to the disk that the pictures are on, "
    "give --workers 0 to read without them, or more --wait-minutes"
)


def loader(dataset: Pictures, share: Share, workers: int, pinned: bool, patience: float) -> data.DataLoader[Any]:
    """Batches of bytes and targets, read ahead by worker processes, each waited for so many seconds at most."""
    return data.DataLoader(
        dataset,
        batch_sampler=share,
        num_workers=workers,
        pin_memory=pinned,
        persistent_workers=bool(workers),
        collate_fn=collated,
        timeout=patience if workers else 0,
        multiprocessing_context="fork" if workers and sys.platform == "linux" else None,
        worker_init_fn=_begin,
    )


def batches(reading: data.DataLoader[Any]) -> Iterator[Batch]:
    """The batches of a loader; DataError says why there are no more of them."""
    try:
        yield from reading
    except DataError as error:
        # What a worker raises comes with its traceback; the reason is the end of it.
        raise DataError(str(error).rpartition("DataError: ")[2].strip()) from None
    except RuntimeError as error:
        told = str(error)
        if told.startswith("DataLoader timed out"):
            raise DataError(_NOTHING_CAME.format(reading.timeout / 60)) from None
        if not told.startswith("DataLoader worker"):
            raise
        raise DataError(
            f"{told}; most likely it had too little memory, shared or not: give fewer --workers, or 0"
        ) from None


def dismiss() -> None:
    """End the workers: they do not heed a request, and Python's way out would wait for them for ever."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # torch would raise over their end, wherever this process is then
    for worker in multiprocessing.active_children():
        worker.kill()


def collated(items: Sequence[tuple[torch.Tensor, int]]) -> Batch:
    """Pictures as one tensor, and their targets."""
    pixels, targets = zip(*items, strict=True)
    if data.get_worker_info() is None:
        return torch.stack(pixels), torch.tensor(targets)
    room = _shared(torch.empty((len(pixels), *pixels[0].shape), dtype=pixels[0].dtype))
    return torch.stack(pixels, out=room), _shared(torch.tensor(targets))


def _shared(values: torch.Tensor) -> torch.Tensor:
    try:
        return values.share_memory_()
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        raise DataError(
            f"a batch of {values.nbytes / 1e6:.1f} MB finds no room in the memory that processes share ({reason}); "
            "give a smaller --batch-size, fewer --workers or 0, or the container more of it (docker: --shm-size)"
        ) from None


def _begin(_number: int) -> None:
    # A launcher's signal reaches all processes; workers that ended by it would take the parent along.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        Listener().close()
    except OSError as error:
        raise DataError(
            f"worker processes cannot hand over what they read: no socket can be opened in {tempfile.gettempdir()} "
            f"({error.strerror or error}); name another folder with TMPDIR, or give --workers 0"
        ) from None
