"""Converts every picture in worker processes: reads, decodes, resizes, encodes, writes and hashes it.

The file of a picture is named by its index, so workers never collide; its final name is decided when all results are
known. A result is small: a hash or a reason.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from errors import DataError
from pictures import decode, encode_jpeg, resize
from progress import ProgressLog
from selection import Conversion
from source_readers import SourceReader, open_source

_CHUNK_SIZE = 8
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class ConversionJob:
    """What every worker needs to know."""

    source: Path
    folder: Path
    image_size: int

    def output_path(self, number: int) -> Path:
        """Returns the path of the converted picture with this index."""
        return self.folder / f"{number}.jpg"


@dataclass
class _Worker:
    """The state of a worker process, with its own open source."""

    job: ConversionJob
    reader: SourceReader

    def convert(self, number: int, name: str) -> Conversion:
        try:
            content = self.reader.read(name)
            size = self.job.image_size
            jpeg = encode_jpeg(resize(decode(content, short_side=size), size))
        except DataError as error:
            return Conversion(reason=str(error))
        self.job.output_path(number).write_bytes(jpeg)
        return Conversion(sha256=hashlib.sha256(jpeg).hexdigest())


_worker_state: list[_Worker] = []


def convert_all(job: ConversionJob, names: Sequence[str], workers: int) -> list[Conversion]:
    """Converts all files, and returns the results in order; the pictures lie in the job's folder."""
    progress = ProgressLog("preparing", "pictures")
    conversions = []
    # Closed here and not by garbage collection: no worker may write while its folder is deleted.
    with closing(_run_workers(job, names, workers)) as results:
        for result in results:
            conversions.append(result)
            progress.update(len(conversions), len(names))
    return conversions


def _run_workers(job: ConversionJob, names: Sequence[str], workers: int) -> Generator[Conversion, None, None]:
    # Forking is fast, and safe here as no other thread runs. On other systems it is not safe.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(job,))
    try:
        with _signals_blocked():
            results = pool.map(_convert, enumerate(names), chunksize=_CHUNK_SIZE)
        yield from results
    except BrokenProcessPool:
        raise DataError(
            "a worker process ended, most likely because of too little memory", "use fewer --workers"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Blocks stop signals while the pool starts: a pool that is stopped while it starts would hang."""
    previous_mask = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous_mask)


def _start_worker(job: ConversionJob) -> None:
    # A stop signal is for the parent, which then ends its workers in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    _worker_state[:] = [_Worker(job, open_source(job.source))]


def _exit_with_parent() -> None:
    """Ends this worker with its parent: a parent that is killed cannot stop its workers."""
    parent = multiprocessing.parent_process()
    assert parent, "a worker has a parent"
    parent.join()
    os._exit(1)


def _convert(task: tuple[int, str]) -> Conversion:
    return _worker_state[0].convert(*task)
