"""What a download has brought, where the next run finds it: whoever was killed, stopped or given up goes on from there.

It lies on the output's disk, which has the room for it, under a name made of the address. A note beside it says which
version the bytes are of, and download.py asks the server for the rest of that one. It goes when the run comes to its
end, in success or over a mistake: what was fetched then is used, or of no use.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from errors import GivenUpError

ARCHIVE, NOTE = "source.zip", "source.json"
_PREFIX = ".download-"


@contextmanager
def download_folder(output: Path, address: str) -> Iterator[Path]:
    """A folder for the one file that is downloaded from an address, perhaps with a part of it from an earlier run."""
    folder = output / f"{_PREFIX}{hashlib.sha256(address.encode()).hexdigest()[:16]}"
    for found in output.glob(f"{_PREFIX}*"):
        if found != folder or not (folder / NOTE).exists():
            shutil.rmtree(found)
    folder.mkdir(exist_ok=True)
    keep = False
    try:
        yield folder
    except (KeyboardInterrupt, SystemExit, GivenUpError):
        keep = (folder / NOTE).exists()
        raise
    finally:
        if keep:
            logging.info("what has come is kept in %s; the same command goes on from there", folder)
        else:
            shutil.rmtree(folder)
