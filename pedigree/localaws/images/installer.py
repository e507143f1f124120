"""Makes one environment: a virtual environment, and its packages by uv where that is there, else by pip."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from pedigree.localaws.images.errors import ImageError
from pedigree.localaws.images.recipe import Recipe

OnLine: TypeAlias = Callable[[str], None]
# pip itself, so that a job can install what its requirements.txt lists.
_ALWAYS = ("pip",)
_PROGRESS = re.compile(r"^\s*(?:Collecting|Downloading|Installing|Building|Successfully installed|Prepared|Resolved)\b")
_OFFLINE = re.compile(
    r"NameResolution|Name or service not known|Temporary failure|ProxyError|ConnectionError|dns error"
)
_FULL = re.compile(r"No space left on device|Disk quota exceeded", re.IGNORECASE)
_COMPILE = ("-m", "compileall", "-qq", "-j", "0", "-x", r"[/\\]tests?[/\\]")
_FILE = re.compile(r" \(from -r [^)]*\)$")
_LONGEST_LINE = 160


@dataclass(frozen=True)
class Installer:
    """Installs a recipe's packages into a folder; variables are those of its processes, which end with the daemon.

    Its processes hold the lock, too: as long as one of them writes, the folder is nobody else's.
    """

    folder: Path
    recipe: Recipe
    variables: Mapping[str, str]
    on_line: OnLine
    lock: IO[str]

    def run(self) -> None:
        """Make the environment; ImageError says why that failed."""
        has_installer = shutil.which("uv") or importlib.util.find_spec("pip")
        self._run(self._python(), "-m", "venv", *(("--without-pip",) if has_installer else ()), str(self.folder))
        with tempfile.TemporaryDirectory() as folder:
            wanted = Path(folder, "packages.txt")
            wanted.write_text("\n".join((*self.recipe.packages, *_ALWAYS)), encoding="utf-8")
            more = ("-r", str(self.recipe.requirements)) if self.recipe.requirements else ()
            index = ("--extra-index-url", self.recipe.index) if self.recipe.index else ()
            self._run(*self._install(), "-r", str(wanted), *more, *index)
        self._run(str(self.folder / "bin" / "python"), *_COMPILE, str(self.folder / "lib"), is_needed=False)

    def _python(self) -> str:
        """The Python of the recipe, if this machine has it, else our own."""
        if not self.recipe.python:
            return sys.executable
        named = self.recipe.python if "/" in self.recipe.python else f"python{self.recipe.python}"
        found = shutil.which(named)
        if found is None:
            ours = ".".join(map(str, sys.version_info[:2]))
            self.on_line(f"This machine has no Python {self.recipe.python}: {ours} stands for it")
        return found or sys.executable

    def _install(self) -> Sequence[str]:
        python = str(self.folder / "bin" / "python")
        if uv := shutil.which("uv"):
            return uv, "pip", "install", "--python", python
        if importlib.util.find_spec("pip") is None:
            return python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"
        return sys.executable, "-m", "pip", "--python", python, "install", "--no-input", "--disable-pip-version-check"

    def _run(self, *command: str, is_needed: bool = True) -> None:
        failure = run_pip(command, self.variables, self.on_line, held=(self.lock.fileno(),))
        if failure and is_needed:
            raise self._failure(failure)

    def _failure(self, failure: PipFailure) -> ImageError:
        packages = " ".join(self.recipe.packages[:3])
        remedy = f"install {packages} … yourself and name the environment in images.toml"
        if failure.is_offline:
            remedy = f"it needs the network once; or {remedy}"
        if failure.is_full:
            remedy = room_for(self.folder.parent)
        return ImageError(f"the environment of {self.recipe.name} cannot be made: {failure.reason}", remedy)


@dataclass(frozen=True)
class PipFailure:
    """Why pip has failed, in one line, and whether that was for want of a network or of room."""

    reason: str
    is_offline: bool
    is_full: bool


def room_for(folder: Path) -> str:
    """The remedy for a disk that is full."""
    return f"make room for {folder}, or let PEDIGREE_ENVIRONMENTS name a folder that has more"


def run_pip(
    command: Sequence[str],
    variables: Mapping[str, str],
    on_line: OnLine,
    plan: int | IO[bytes] = subprocess.DEVNULL,
    held: Sequence[int] = (),
) -> PipFailure | None:
    """Run pip, or a command around it that reads a plan, and pass its progress on; its failure, if it fails.

    held are files that stay open as long as the command runs, even if this process has ended.
    """
    lines: list[str] = []
    with subprocess.Popen(  # noqa: S603  # pip and Python
        list(command),
        stdin=plan,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**variables, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
        pass_fds=held,
    ) as started:
        assert started.stdout is not None
        try:
            for line in map(str.rstrip, started.stdout):
                lines = [*lines[-99:], line]
                if _PROGRESS.match(line):
                    on_line(_FILE.sub("", line.strip())[:_LONGEST_LINE])
        except BaseException:  # Ctrl-C, too: nothing goes on installing
            os.killpg(started.pid, signal.SIGKILL)
            raise
    return _failure(lines, started.returncode) if started.returncode else None


def _failure(lines: Sequence[str], code: int) -> PipFailure:
    last = next((line for line in reversed(lines) if re.match(r"\s*(ERROR|error|×)", line)), "")
    reason = (last or next(filter(None, reversed(lines)), f"it ended with {code}")).strip()[:_LONGEST_LINE]
    text = "\n".join(lines)
    is_offline, is_full = bool(_OFFLINE.search(text)), bool(_FULL.search(text))
    cause = "the disk is full" if is_full else "no package index answers" if is_offline else ""
    return PipFailure(f"{cause} ({reason})" if cause else reason, is_offline, is_full)
