"""The work on every single picture, spread over processes: read, decode, resize, encode, write, hash.

A picture's file is named by its number, so no two workers meet; what it is called in the end is decided when all are
known. What comes back is small: a hash, or a reason.
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
from pictures import as_jpeg, decode, resized
from progress import Progress
from selection import Made
from source_readers import Store, opened

_CHUNK = 8
_STOPPING = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Work:
    """What every worker must know."""

    source: Path
    folder: Path
    image_size: int

    def stored(self, number: int) -> Path:
        """Where the picture of a number lies."""
        return self.folder / f"{number}.jpg"


@dataclass
class _Worker:
    """A process that has opened the source for itself."""

    work: Work
    store: Store

    def make(self, number: int, name: str) -> Made:
        try:
            content = self.store.read(name)
            size = self.work.image_size
            jpeg = as_jpeg(resized(decode(content, short_side=size), size))
        except DataError as mistake:
            return Made(reason=str(mistake))
        self.work.stored(number).write_bytes(jpeg)
        return Made(sha256=hashlib.sha256(jpeg).hexdigest())


_here: list[_Worker] = []


def store_all(work: Work, names: Sequence[str], workers: int) -> list[Made]:
    """What became of every name, in order; the pictures lie in the work's folder."""
    progress = Progress("preparing", "pictures")
    made = []
    # Closed at once, not when Python gets to it: no worker may write when its folder is cleared away.
    with closing(_spread(work, names, workers)) as results:
        for result in results:
            made.append(result)
            progress.at(len(made), len(names))
    return made


def _spread(work: Work, names: Sequence[str], workers: int) -> Generator[Made, None, None]:
    # Forking is quick, and safe here: no thread of ours is alive. Where it is not safe, Python starts afresh instead.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(work,))
    try:
        with _held_back():
            results = pool.map(_make, enumerate(names), chunksize=_CHUNK)
        yield from results
    except BrokenProcessPool:
        raise DataError("a worker process ended, most likely for want of memory; use fewer --workers") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _held_back() -> Iterator[None]:
    """Signals have to wait: a pool that is stopped while it starts its workers waits for them for ever."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(work: Work) -> None:
    # Who stops the script means the parent, which then ends its workers in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
    threading.Thread(target=_end_with_the_script, daemon=True).start()
    _here[:] = [_Worker(work, opened(work.source))]


def _end_with_the_script() -> None:
    """A script that is killed can tell nobody; its workers would wait for work for ever."""
    script = multiprocessing.parent_process()
    assert script, "a worker has a parent"
    script.join()
    os._exit(1)


def _make(task: tuple[int, str]) -> Made:
    return _here[0].make(*task)
