"""What a container is, as data, and the steps that make its root. Pure: launcher.py carries the steps out.

A container sees what the system has for everybody (machine.py), and the mounts that its owner names. Nothing else of
this machine has a path in it: no home, no state of the daemon, no other container.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pedigree.localaws.containers.machine import Machine

HOME = "/root"
TMP = "/tmp"  # noqa: S108  # the container's own
Step: TypeAlias = tuple[str, ...]
"""A word that the launcher knows, and its arguments."""
OWN_FOLDERS = ("/home", "/mnt", "/opt", "/run", "/srv", "/var")
"""Folders of the system that are the container's own, and empty."""
_EMPTY = "755"
_SHARED = "1777"


@dataclass(frozen=True)
class Mount:
    """A file or folder of this machine, and where the container has it."""

    source: Path
    target: str
    is_writable: bool = False


@dataclass(frozen=True)
class Overlay:
    """A folder of this machine that seems writable at its path: what is written there goes to a folder of changes.

    between are earlier changes of the same folder, the newest first; they are part of what can be read.
    """

    source: Path
    changes: Path
    between: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Container:
    """The files, names and network of a container.

    network is the process that holds one, or 0 for this machine's; with has_own_network it has one without a way out.
    """

    hostname: str
    folder: str
    mounts: tuple[Mount, ...] = ()
    layers: tuple[Overlay, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    network: int = 0
    has_own_network: bool = False


def plan(container: Container, machine: Machine, command: Sequence[str]) -> bytes:
    """The launcher's plan: its standard input."""
    return _document(
        hostname=container.hostname,
        folder=container.folder,
        network=container.network,
        has_own_network=container.has_own_network,
        steps=[list(step) for step in steps(container, machine)],
        command=list(command),
    )


def network_plan() -> bytes:
    """The plan of a launcher that only holds a network."""
    return _document(is_network=True)


def _document(**members: Any) -> bytes:
    return marshal.dumps({"is_network": False, **members})


def steps(container: Container, machine: Machine) -> Iterator[Step]:
    """The steps that make a container's root, in their order: what lies below a folder comes after it."""
    yield from _system(machine)
    yield from _devices(machine)
    for folder in OWN_FOLDERS:
        yield "folder", folder
    yield "memory", HOME, _EMPTY
    yield "memory", TMP, _SHARED
    yield "link", TMP, "/var/tmp"  # noqa: S108
    for path in machine.private:
        yield "hide", path
    yield from (step for _, step in sorted(_mounts(container)))
    yield "file", "/etc/hosts", _hosts_table(container)
    yield "processes", "/proc"


def _system(machine: Machine) -> Iterator[Step]:
    for path in machine.folders:
        yield "readable", path, path
    for path, destination in machine.links.items():
        yield "link", destination, path
    if machine.resolver:
        yield "readable", machine.resolver, machine.resolver


def _devices(machine: Machine) -> Iterator[Step]:
    yield "memory", "/dev", _EMPTY
    for device in machine.devices:
        yield "device", device, device
    yield "memory", "/dev/shm", _SHARED  # noqa: S108  # the container's own
    yield "terminals", "/dev/pts"
    for name, destination in (("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd")):
        yield "link", destination, f"/dev/{name}"
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        yield "link", f"/proc/self/fd/{number}", f"/dev/{name}"


def _mounts(container: Container) -> Iterator[tuple[str, Step]]:
    for mount in container.mounts:
        word = "writable" if mount.is_writable else "readable"
        yield mount.target, (word, str(mount.source), mount.target)
    for layer in container.layers:
        target = str(layer.source)
        yield target, ("layer", target, str(layer.changes), target, *map(str, layer.between))
    for path, destination in container.links.items():
        yield path, ("link", destination, path)


def _hosts_table(container: Container) -> str:
    names = {"localhost": "127.0.0.1", **container.addresses}
    return "".join(f"{address} {name}\n" for name, address in names.items())
