"""What containers see of this machine: what its system has for every user, and nothing of a user's own.

The list says what is visible. Of /etc, which every user may look into, those entries are hidden that not everybody may
read, because a daemon of root could.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SYSTEM = ("bin", "etc", "gnu", "lib", "lib32", "lib64", "libx32", "nix", "sbin", "sys", "usr")
_LIBRARIES = "lib"  # a folder of the container's own: the SDK's ModelBuilder copies a model's libraries to it
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "kfd", "dri")
_DEVICE_FAMILIES = ("nvidia*", "neuron*")
_READ, _ENTER = 0o4, 0o5
_MOST_LINKS = 40


@dataclass(frozen=True)
class Machine:
    """The folders and links of the system, its devices, the file with its name servers, and what stays hidden."""

    folders: tuple[str, ...]
    links: Mapping[str, str]
    devices: tuple[str, ...]
    resolver: str = ""
    private: tuple[str, ...] = ()

    def shows(self, path: Path) -> bool:
        """Whether containers see a path without a mount of their own."""
        below = any(path.is_relative_to(folder) for folder in (*self.folders, *self.links))
        return below and not any(path.is_relative_to(private) for private in self.private)


def this_machine(private: Sequence[Path] = (), root: Path = Path("/")) -> Machine:
    """Read what this machine has; private are further folders that no container may see."""
    present = [root / name for name in _SYSTEM if (root / name).exists()]
    folders = tuple(str(path) for path in present if not path.is_symlink())
    links = dict(link for path in present if path.is_symlink() for link in _links(path))
    own = [str(path) for path in private if any(path.is_relative_to(folder) for folder in folders)]
    return Machine(
        folders,
        links,
        tuple(str(path) for path in _devices(root / "dev")),
        _resolver(root / "etc" / "resolv.conf", folders),
        (*_unreadable(root / "etc"), *own),
    )


def _links(path: Path) -> Iterator[tuple[str, str]]:
    """The link that a container has in place of one of the system's, or the links in a folder of its own."""
    if path.name != _LIBRARIES:
        yield str(path), str(path.readlink())
        return
    yield from ((str(path / entry.name), str(entry)) for entry in sorted(path.resolve().iterdir()))


def _devices(folder: Path) -> Iterator[Path]:
    named = [folder / name for name in _DEVICES]
    families: Iterable[Path] = (path for family in _DEVICE_FAMILIES for path in sorted(folder.glob(family)))
    yield from (path for path in (*named, *families) if path.exists())


def _resolver(path: Path, folders: Sequence[str]) -> str:
    """The file that a link in /etc leads to, if that lies in a folder that containers do not see."""
    real = path.resolve()
    return "" if not real.is_file() or any(real.is_relative_to(folder) for folder in folders) else str(real)


def _unreadable(folder: Path) -> Iterator[str]:
    """What not everybody may read below a folder."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return  # this user cannot look into it, and so no container can
    for entry in entries:
        if entry.is_symlink():
            continue
        needed = _ENTER if entry.is_dir() else _READ
        if stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode) & needed != needed:
            yield entry.path
        elif entry.is_dir():
            yield from _unreadable(Path(entry.path))


def interpreter(python_environment: Path) -> tuple[Path, ...]:
    """The folders that an environment's Python needs, the environment first; its base may lie anywhere, a home too."""
    found = [python_environment]
    for home in _base_homes(python_environment):
        prefix = home.parent if home.name == "bin" else home
        if prefix != Path(prefix.anchor):
            found.append(prefix)
    return tuple(dict.fromkeys(found))


def _base_homes(python_environment: Path) -> Iterator[Path]:
    configuration = python_environment / "pyvenv.cfg"
    if configuration.is_file():
        for line in configuration.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            if name.strip() == "home":
                yield Path(value.strip())
    python = python_environment / "bin" / "python"
    for _ in range(_MOST_LINKS):  # each link on the way to the real one has to be there, too
        if not python.is_symlink():
            break
        python = Path(os.path.normpath(python.parent / python.readlink()))
        yield python.parent
    if python.exists():
        yield python.resolve().parent
