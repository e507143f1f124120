"""Keeps a partial download for the next run, which resumes it after this one was killed, stopped or gave up.

The folder lies on the output's disk, which has enough room, under a name made from the address. A state file holds the
version of the bytes, and download.py asks the server for the rest of that version. When a run ends by itself, in
success or with an error, the folder is deleted: its content was used, or is of no use.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from errors import DownloadFailedError

ARCHIVE, STATE_FILE = "source.zip", "source.json"
_PREFIX = ".download-"


@contextmanager
def download_folder(output: Path, address: str) -> Iterator[Path]:
    """Yields the folder for the file of an address, perhaps with a partial download from an earlier run."""
    folder = output / f"{_PREFIX}{hashlib.sha256(address.encode()).hexdigest()[:16]}"
    for leftover in output.glob(f"{_PREFIX}*"):
        if leftover != folder or not (folder / STATE_FILE).exists():
            shutil.rmtree(leftover)
    folder.mkdir(exist_ok=True)
    is_kept = False
    try:
        yield folder
    except (KeyboardInterrupt, SystemExit, DownloadFailedError):
        is_kept = (folder / STATE_FILE).exists()
        raise
    finally:
        if is_kept:
            logging.info("the partial download is kept in %s; the same command resumes it", folder)
        else:
            shutil.rmtree(folder)
