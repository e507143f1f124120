"""How a container shows the files of an image that are no mounts of a job: programs in /opt, /usr/local/bin, /app …

They lie in a folder of the container's own, laid out as in the image. Folders of the system stay as they are: where an
image has files in one, a layer over it has them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pedigree.localaws.containers.container import OWN_FOLDERS, Mount, Overlay
from pedigree.localaws.containers.machine import Machine


@dataclass
class ImageFiles:
    """What a container needs to show the files of an image."""

    mounts: list[Mount] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    layers: list[Overlay] = field(default_factory=list)


def shown(tree: Path, machine: Machine, changes: Path, *, has_layers: bool) -> ImageFiles:
    """What shows the files in a tree, which is laid out as the image; layers get folders of changes.

    Files for a system's folder are moved to its layer. ValueError if there can be none.
    """
    found = ImageFiles()
    for place in _places(tree, "", machine) if tree.is_dir() else ():
        inside = place.relative_to(tree)
        above = os.path.realpath(f"/{inside.parent}")
        if _is_shown(above, machine):
            _refuse_layer(above, machine, has_layers=has_layers)
            layer = Overlay(Path(above), changes / above.strip("/").replace("/", "-"))
            for name in ("upper", "work"):
                (layer.changes / name).mkdir(parents=True, exist_ok=True)
            place.rename(layer.changes / "upper" / place.name)
            found.layers += [layer] if layer not in found.layers else []
        elif place.is_symlink():
            found.links[f"/{inside}"] = os.readlink(place)  # noqa: PTH115  # the text, which may be of any form
        else:
            found.mounts.append(Mount(place, f"/{inside}", is_writable=True))
    return found


def _places(folder: Path, inside: str, machine: Machine) -> Iterator[Path]:
    """The uppermost files and folders that the container does not have otherwise."""
    for place in sorted(folder.iterdir()):
        target = f"{inside}/{place.name}"
        is_folder = place.is_dir() and not place.is_symlink()
        if is_folder and (target in OWN_FOLDERS or (_is_shown(target, machine) and os.path.isdir(target))):  # noqa: PTH112
            yield from _places(place, target, machine)
        else:
            yield place


def _is_shown(path: str, machine: Machine) -> bool:
    return machine.shows(Path(path))


def _refuse_layer(folder: str, machine: Machine, *, has_layers: bool) -> None:
    if not has_layers:
        raise ValueError(f"the image has files in {folder}, and this kernel has no layers that could show them there")
    if any(Path(private).is_relative_to(folder) for private in machine.private):
        raise ValueError(f"the image has files in {folder}, a folder of this machine with parts that no job may see")
