"""A user of this machine without any rights: starts programs of this project as somebody who is not root.

Where the tests run as root, that is another user, who has copies of what only root may read. Else it is this user.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

IS_ROOT = os.geteuid() == 0
_ROOT = Path(__file__).parents[2]
_ID = 23456  # of nobody: there need not be an account
_READABLE = 0o5
_EXECUTABLE = 0o755
# Puts an empty folder in the place of one that others may not read, in which they see one folder of it.
_SHOW = 'mount --bind "$1" "$3" && mount -t tmpfs -o mode=755 none "$2" && mkdir -p "$1" && mount --bind "$3" "$1"'


@dataclass(frozen=True)
class ProgramUser:
    """Who runs a program: its home, its Python, the folder with this project's modules, and a command that becomes it.

    Without an id, that is the user of the tests.
    """

    home: Path
    python: str
    modules: Path
    id: int | None = None
    becoming: Sequence[str] = ()

    @property
    def environment(self) -> Mapping[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "PYTHONPATH": str(self.modules)}

    def own(self, *folders: Path) -> None:
        """Give folders, not what is in them, to this user."""
        for folder in folders:
            if self.id is not None:
                os.chown(folder, self.id, self.id)

    def environment_of(self, original: Path) -> Path:
        """A virtual environment that this user may read, and add to."""
        if self.id is None:
            return original
        copy = _copied_environment(original, self.home / original.name.lstrip("."))
        self.own(copy, *(path for path in copy.rglob("*") if path.is_dir() and not path.is_symlink()))
        return copy


def this_user(folder: Path) -> ProgramUser:
    """The user of the tests, with a home of its own in a folder."""
    return ProgramUser(_made(folder / "home"), sys.executable, _ROOT)


def ordinary_user(folder: Path) -> ProgramUser:
    """A user who is not root; a folder that everybody may enter has its home, and copies for it."""
    if not IS_ROOT:
        return this_user(folder)
    home, modules = _made(folder / "home"), _made(folder / "modules")
    shutil.copytree(_ROOT / "pedigree", modules / "pedigree", ignore=shutil.ignore_patterns("__pycache__"))
    environment = home / Path(sys.prefix).name.lstrip(".")
    user = ProgramUser(home, str(environment / "bin" / "python"), modules, _ID, _becoming(_made(folder / "shown")))
    user.own(home)
    assert user.environment_of(Path(sys.prefix)) == environment
    return user


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _becoming(empty: Path) -> Sequence[str]:
    """A command that runs another one as the user, who sees the installation of this Python."""
    as_user = ("setpriv", f"--reuid={_ID}", f"--regid={_ID}", "--clear-groups")
    installation = Path(sys.executable).resolve().parents[1]
    hidden = [path for path in (installation, *installation.parents) if path.stat().st_mode & _READABLE != _READABLE]
    if not hidden:
        return as_user
    script = f'{_SHOW} && shift 3 && exec "$@"'
    return ("unshare", "--mount", "sh", "-c", script, "sh", str(installation), str(hidden[-1]), str(empty), *as_user)


def _copied_environment(original: Path, copy: Path) -> Path:
    """A copy of a virtual environment, whose files are links to the original's where the disk allows."""
    shutil.copytree(original / "lib", copy / "lib", symlinks=True, copy_function=_link_or_copy)
    shutil.copy2(original / "pyvenv.cfg", copy)
    (copy / "bin").mkdir()
    for path in (original / "bin").iterdir():
        if path.is_symlink():
            (copy / "bin" / path.name).symlink_to(path.readlink())
        elif path.is_file():
            _copy_command(path, copy / "bin" / path.name)
    return copy


def _link_or_copy(original: str, copy: str) -> None:
    try:
        os.link(original, copy)
    except OSError:
        shutil.copy2(original, copy)


def _copy_command(original: Path, copy: Path) -> None:
    """Copy a command, whose first line names the Python of its environment."""
    copy.write_bytes(original.read_bytes().replace(bytes(original.parent), bytes(copy.parent)))
    copy.chmod(_EXECUTABLE)
