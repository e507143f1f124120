"""The environments that recipes describe: made with pip when a job first needs one, and kept for all later jobs.

Each is in a folder named by a hash of its recipe, so that a changed recipe gets another one. A stamp is written last:
what was interrupted has none, and is made anew. One process makes an environment, and the others wait for it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pedigree.localaws.images.errors import ImageError
from pedigree.localaws.images.installer import Installer, OnLine, room_for
from pedigree.localaws.images.recipe import Recipe

_FOLDER_VARIABLE = "PEDIGREE_ENVIRONMENTS"
_STAMP = ".ready"
_HASH_LENGTH = 16


def environments_folder(variables: Mapping[str, str] = os.environ) -> Path:
    """Where environments are kept: for all projects of a user, unless a variable says otherwise."""
    if chosen := variables.get(_FOLDER_VARIABLE):
        return Path(chosen)
    cache = Path(variables.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "pedigree" / "environments"


@dataclass(frozen=True)
class BuiltEnvironment:
    """An environment on the disk: its folder and the name of the recipe that it was made for."""

    folder: Path
    recipe: str
    megabytes: int


@dataclass(frozen=True)
class Environments:
    """The folder of all environments; variables are the environment variables of the processes that make one."""

    folder: Path = field(default_factory=environments_folder)
    variables: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def folder_of(self, recipe: Recipe) -> Path:
        """Where the environment of a recipe is or will be."""
        return recipe.environment or self.folder / _hash(recipe)

    def is_built(self, recipe: Recipe) -> bool:
        """Whether nothing has to be made before a job can use it."""
        return _is_ready(self.folder_of(recipe), recipe)

    def build(self, recipe: Recipe, on_line: OnLine) -> Path:
        """The folder of a recipe's environment, which is made if it is not there; ImageError if that fails."""
        folder = self.folder_of(recipe)
        if _is_ready(folder, recipe):
            return folder
        if recipe.environment:
            raise ImageError(f"the recipe {recipe.name} has no environment at {folder}", "make it, or correct its path")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with _one_at_a_time(folder.with_suffix(".lock"), lambda: on_line(f"Waiting for {recipe.name} …")) as lock:
                if not _is_ready(folder, recipe):
                    self._make(recipe, folder, on_line, lock)
        except OSError as error:
            is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            remedy = room_for(self.folder) if is_full else f"see that {self.folder} can be written"
            raise ImageError(f"the environment of {recipe.name} cannot be made: {error}", remedy) from None
        return folder

    def built(self) -> Iterator[BuiltEnvironment]:
        """All environments that are complete."""
        for stamp in sorted(self.folder.glob(f"*/{_STAMP}")):
            size = sum(path.lstat().st_size for path in stamp.parent.rglob("*") if path.is_file())
            yield BuiltEnvironment(stamp.parent, stamp.read_text(encoding="utf-8").strip(), size >> 20)

    def remove(self, folder: Path) -> None:
        """Remove an environment, and first its stamp, so that half of one is never used."""
        with _one_at_a_time(folder.with_suffix(".lock"), lambda: None):
            (folder / _STAMP).unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)

    def _make(self, recipe: Recipe, folder: Path, on_line: OnLine, lock: IO[str]) -> None:
        started = time.monotonic()
        on_line(f"Making an environment for {recipe.name} in {folder} …")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            Installer(folder, recipe, self.variables, on_line, lock).run()
            stamp = folder / f"{_STAMP}.new"
            stamp.write_text(recipe.name, encoding="utf-8")
            stamp.replace(folder / _STAMP)
        except BaseException:  # half of it is of no use, and takes room
            shutil.rmtree(folder, ignore_errors=True)
            raise
        on_line(f"The environment for {recipe.name} is ready after {time.monotonic() - started:.0f} s")


def _is_ready(folder: Path, recipe: Recipe) -> bool:
    return (folder / "bin" / "python").exists() and (recipe.environment is not None or (folder / _STAMP).exists())


def _hash(recipe: Recipe) -> str:
    requirements = recipe.requirements.read_bytes() if recipe.requirements else b""
    parts = (sys.version, recipe.python, recipe.index, *sorted(recipe.packages), requirements.decode(errors="replace"))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_HASH_LENGTH]


@contextmanager
def _one_at_a_time(path: Path, on_wait: Callable[[], None]) -> Iterator[IO[str]]:
    """Hold a lock that ends with the last process that has its file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
