"""Compiles the modules of an environment on all cores, so that no process that can only read it compiles them again.

    python compiling.py FOLDER

A file that is no Python for this interpreter is left out: it is for another one. Any other failure ends it with a line.
"""

from __future__ import annotations

import compileall
import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

# Libraries' own tests, which nothing imports.
_LEFT_OUT = re.compile(r"(^|[/\\])tests?[/\\]")
_FILES_AT_A_TIME = 50


def main(folder: Path) -> int:
    """Compile all modules in a folder; returns 1 if one could not be written."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        failed = [path for path in pool.map(_failed, _modules(folder), chunksize=_FILES_AT_A_TIME) if path]
    if failed:
        which = f"{failed[0]} and {len(failed) - 1} others"
        sys.stderr.write(f"{which} cannot be compiled; is the disk full, or {folder} read-only?\n")
    return int(bool(failed))


def _modules(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        if not _LEFT_OUT.search(str(path.relative_to(folder))):
            yield str(path)


def _failed(path: str) -> str:
    """The path, if it was not compiled although this Python can read it."""
    return "" if compileall.compile_file(path, quiet=2) or not _is_readable(path) else path


def _is_readable(path: str) -> bool:
    try:
        compile(Path(path).read_bytes(), path, "exec")
    except (SyntaxError, ValueError):  # a ValueError for bytes that are no text
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
