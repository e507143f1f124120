"""What all containers of a daemon have in common: the machine, what its kernel allows, and which files they share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from pedigree.localaws.containers import launch
from pedigree.localaws.containers.container import HOME, Container, Mount, Overlay
from pedigree.localaws.containers.machine import Machine, interpreter, this_machine
from pedigree.localaws.containers.namespaces import SWITCHED_OFF, Support, probe
from pedigree.localaws.kernel.processes import Launch

CHANGED = "upper"
"""Where a folder of changes has them."""
ENVIRONMENT = {"HOME": HOME, "TAR_OPTIONS": "--no-same-owner"}  # the owners of an archive's files do not exist there


@dataclass(frozen=True)
class ContainerRuntime:
    """Makes containers where support says so; shared are the mounts that each of them has."""

    machine: Machine
    support: Support
    shared: tuple[Mount, ...] = ()

    @property
    def has_containers(self) -> bool:
        return self.support.has_containers

    def launched(self, container: Container, command: Sequence[str]) -> Launch:
        """The launch of a command in a container."""
        complete = replace(container, mounts=(*self.shared, *container.mounts))
        return launch.launched(complete, self.machine, command)

    def can_install(self, environment: Path) -> bool:
        """Whether containers can install into an environment: there are layers, and it is no other user's."""
        return self.support.has_layers and environment.resolve().stat().st_uid == os.getuid()

    def with_python(
        self, container: Container, environment: Path, changes: Path | None = None, between: tuple[Path, ...] = ()
    ) -> Container:
        """The container with a Python environment: pip installs into it, and the changes go to a folder.

        Without such a folder, or where nothing can be installed, it can only be read. between are earlier changes.
        """
        paths = interpreter(environment)
        links = {str(path): str(path.resolve()) for path in paths if path != path.resolve()}
        folder, *base = dict.fromkeys(path.resolve() for path in paths)
        mounts = [Mount(path, str(path)) for path in base if not self.machine.shows(path)]
        layers = []
        if changes and self.can_install(folder):
            layers.append(_layer(folder, changes, between))
        elif not self.machine.shows(folder):
            mounts.append(Mount(folder, str(folder)))
        return replace(
            container,
            mounts=(*container.mounts, *mounts),
            layers=(*container.layers, *layers),
            links={**container.links, **links},
        )


def container_runtime(
    private: Sequence[Path],
    files: Sequence[Path] = (),
    mounted: Sequence[Path] = (),
    *,
    uses_namespaces: bool = True,
) -> ContainerRuntime:
    """The runtime of a daemon: its private folders, files that all may read, and folders that all may change."""
    readable = (Mount(path.resolve(), str(path)) for path in files)
    shared = (*readable, *(Mount(path.resolve(), str(path), is_writable=True) for path in mounted))
    if not uses_namespaces:
        return ContainerRuntime(this_machine(), Support(SWITCHED_OFF), shared)
    return ContainerRuntime(this_machine((*private, Path.home())), _support(), shared)


@lru_cache(maxsize=1)
def _support() -> Support:
    return probe(this_machine())


def _layer(folder: Path, changes: Path, between: tuple[Path, ...]) -> Overlay:
    for name in (CHANGED, "work"):
        (changes / name).mkdir(parents=True, exist_ok=True)
    return Overlay(folder, changes, between)
