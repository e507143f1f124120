"""The folder that a Dockerfile copies from, without what its .dockerignore leaves out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from pedigree.localaws.images.errors import RecipeError

_IGNORED = ".dockerignore"
_LARGEST_BYTES = 1 << 20


@dataclass(frozen=True)
class BuildContext:
    """The folder; paths in it are relative to it, and none leads out of it."""

    folder: Path

    def matching(self, pattern: str) -> list[str]:
        """The files and folders that a source of COPY names; RecipeError if it leads out of the folder."""
        path = PurePosixPath(pattern.lstrip("/"))
        if ".." in path.parts:
            raise RecipeError(f"{pattern} is outside of {self.folder}", "name a folder above both with folder = …")
        if path == PurePosixPath():
            return ["."]
        try:
            found = [place.relative_to(self.folder).as_posix() for place in self.folder.glob(str(path))]
        except (ValueError, OSError, IndexError) as error:
            raise RecipeError(f"{pattern} cannot be read: {error}", "name a file or folder") from None
        inside = (name for name in found if self._is_inside(name))
        return sorted(name for name in inside if self.is_folder(name) or not self._is_left_out(name))

    def is_folder(self, name: str) -> bool:
        """Whether a path is a folder, and no link to one."""
        place = self.folder / name
        return place.is_dir() and not place.is_symlink()

    def files(self, name: str) -> Iterator[str]:
        """The files below a folder, relative to the context; a link counts as a file."""
        for place, folders, names in os.walk(self.folder / name):
            links = [folder for folder in folders if (Path(place) / folder).is_symlink()]
            folders[:] = sorted(folder for folder in folders if folder not in links)
            for file in sorted((*names, *links)):
                inside = (Path(place) / file).relative_to(self.folder).as_posix()
                if not self._is_left_out(inside):
                    yield inside

    def text(self, path: Path) -> str:
        """The text of a file that is read while a Dockerfile is followed; RecipeError if there is none."""
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST_BYTES + 1)
            if len(content) > _LARGEST_BYTES:
                raise RecipeError(f"{path} is too large for a list of packages", "see that it is the right file")
            return content.decode()
        except (OSError, ValueError) as error:
            raise RecipeError(f"{path} cannot be read: {error}", "make it a text file") from None

    def _is_inside(self, name: str) -> bool:
        """Whether the folders on the way to a file are in the context, too, and not behind a link."""
        return (self.folder / name).parent.resolve().is_relative_to(self.folder.resolve())

    def _is_left_out(self, name: str) -> bool:
        names = (name, *(parent.as_posix() for parent in PurePosixPath(name).parents))
        is_left_out = False
        for pattern, leaves_out in self._rules:
            if any(pattern.fullmatch(one) for one in names):
                is_left_out = leaves_out
        return is_left_out

    @cached_property
    def _rules(self) -> list[tuple[re.Pattern[str], bool]]:
        path = self.folder / _IGNORED
        if not path.is_file():
            return []
        written = (line.strip() for line in self.text(path).splitlines())
        return [
            (_pattern(line.removeprefix("!")), not line.startswith("!"))
            for line in written
            if line and not line.startswith("#")
        ]


_PARTS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _pattern(text: str) -> re.Pattern[str]:
    cleaned = os.path.normpath(text.strip()).lstrip("/")
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", cleaned)
    return re.compile("".join(_PARTS.get(part, re.escape(part)) for part in parts))
