"""Layers on environments: what a requirements.txt asks for, installed once for all jobs that have the same.

A layer is the changes that pip makes to an environment, in a folder named by a hash of both. Its stamp is written
last, and one process makes it while the others wait. A lock is held as long as a layer is used, so that none
disappears below a job.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

from pedigree.localaws.images.installer import OnLine

Install: TypeAlias = Callable[[Path, Path], None]
"""Gets a requirements.txt, and a folder for the changes that installing it makes."""
_FOLDER = "layers"
_STAMP = ".ready"
_CHANGES, _REQUIREMENTS = "changes", "requirements.txt"
_HASH_LENGTH = 16
_KEPT_DAYS = 30
_SECONDS_OF_A_DAY = 86_400


@dataclass(frozen=True)
class Wanted:
    """What a layer is for: an environment, the text of a requirements.txt, and the variables that pip goes by."""

    environment: Path
    requirements: str
    variables: Mapping[str, str]

    @property
    def name(self) -> str:
        """The hash that names the layer's folder."""
        variables = sorted(self.variables.items())
        parts = (str(self.environment), _packages(self.environment), self.requirements, json.dumps(variables))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_HASH_LENGTH]


@dataclass(frozen=True)
class BuiltLayer:
    """A layer on the disk: the environment that it is for, the first thing that it has, and its days without use."""

    folder: Path
    environment: Path
    first: str
    megabytes: int
    idle_days: float
    is_current: bool
    """Whether the environment still has the packages that it had."""

    @property
    def is_old(self) -> bool:
        """Whether no job has used it for so long that it can go, or none can use it."""
        return not self.is_current or self.idle_days > _KEPT_DAYS


@dataclass(frozen=True)
class Layers:
    """The folder of all layers, beside the environments."""

    environments: Path

    @property
    def folder(self) -> Path:
        return self.environments / _FOLDER

    @contextmanager
    def used(self, wanted: Wanted, install: Install, on_line: OnLine) -> Iterator[Path]:
        """A layer's folder of changes, which is made if it is not there; it stays as long as it is used."""
        folder = self.folder / wanted.name
        with _lock(folder) as lock:
            while True:
                fcntl.flock(lock, fcntl.LOCK_SH)
                if (folder / _STAMP).exists():
                    break
                on_line(f"Making a layer for {_REQUIREMENTS} in {folder} …")
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not (folder / _STAMP).exists():
                    _make(folder, wanted, install, on_line)
            os.utime(folder / _STAMP)
            yield folder / _CHANGES

    def built(self) -> Iterator[BuiltLayer]:
        """All layers that are complete."""
        for stamp in sorted(self.folder.glob(f"*/{_STAMP}")):
            folder, about = stamp.parent, json.loads(stamp.read_text(encoding="utf-8"))
            size = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
            idle = (time.time() - stamp.stat().st_mtime) / _SECONDS_OF_A_DAY
            environment = Path(about["environment"])
            is_current = about["packages"] == _packages(environment)
            yield BuiltLayer(folder, environment, about["first"], size >> 20, idle, is_current)

    def remove(self, folder: Path) -> bool:
        """Remove a layer, and first its stamp; False if a job uses it."""
        with _lock(folder) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            (folder / _STAMP).unlink(missing_ok=True)
            _remove(folder)
        return True


def _make(folder: Path, wanted: Wanted, install: Install, on_line: OnLine) -> None:
    started = time.monotonic()
    _remove(folder)
    folder.mkdir()
    (folder / _REQUIREMENTS).write_text(wanted.requirements, encoding="utf-8")
    try:
        install(folder / _REQUIREMENTS, folder / _CHANGES)
    except BaseException:
        _remove(folder)
        raise
    first = next((line for line in wanted.requirements.splitlines() if line.strip()), "")
    about = {"environment": str(wanted.environment), "packages": _packages(wanted.environment), "first": first}
    _write_stamp(folder / _STAMP, about)
    on_line(f"The layer is ready after {time.monotonic() - started:.0f} s; later jobs with the same list use it")


def _write_stamp(path: Path, about: Mapping[str, Any]) -> None:
    """Write it as a whole or not at all."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(about), encoding="utf-8")
    beside.replace(path)


def _packages(environment: Path) -> str:
    """A hash of an environment's packages with their versions."""
    names = sorted(path.name for path in environment.glob("lib/python*/site-packages/*.dist-info"))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:_HASH_LENGTH]


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _lock(folder: Path) -> Iterator[IO[str]]:
    """A file to lock, which ends with the process that has it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        yield lock
