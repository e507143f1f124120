"""What this project registers with pedigree: its pipeline, and its settings for the local AWS."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pedigree import project_root
from pedigree.cli.options import ProjectOptions

if TYPE_CHECKING:
    from pedigree.account.account import Account
    from pedigree.checks.ignoring import Ignored
    from pedigree.cli.project import InputData
    from pipeline.settings.tree import Settings

DEFAULT_FILES = ("settings.toml",)
LOCAL_FILES = ("settings.toml", "settings.local.toml")


def load_settings(options: ProjectOptions) -> Settings:
    """The settings of the named files, or else of the project's own, with the environment and the options on top."""
    from pipeline.settings.layers import FILES_VARIABLE
    from pipeline.settings.loading import load

    files = options.settings or os.environ.get(FILES_VARIABLE) or _paths(DEFAULT_FILES)
    return load(files, os.environ, {"site.account": options.account, "site.region": options.region})


def _paths(names: tuple[str, ...]) -> str:
    """Paths of files in the project's root; names alone if that is the current folder."""
    root = project_root.search()
    return ":".join(names if root is None or root.samefile(".") else (str(root / name) for name in names))


@dataclass(frozen=True)
class DogBreeds:
    """The pipeline with its settings, as pedigree's own verbs use it."""

    settings: Settings

    @property
    def name(self) -> str:
        return self.settings.pipeline.name

    @property
    def account(self) -> str:
        return self.settings.site.account

    @property
    def region(self) -> str:
        return self.settings.site.region

    def definition(self) -> str:
        from pipeline import source
        from pipeline.document import render

        return render(self.settings, source.read())

    def ignored(self) -> list[Ignored]:
        from pipeline.commands.soundness import ignored

        return ignored(self.settings)

    def input_data(self, where: str, account: Account) -> AbstractContextManager[InputData]:
        from pipeline.commands.own_data import input_data

        return input_data(self.settings, where, account)


class DogBreedsProject:
    """The object that the entry point pedigree.project names."""

    def pipeline(self, options: ProjectOptions) -> DogBreeds:
        return DogBreeds(load_settings(options))

    def local_environment(self) -> Mapping[str, str]:
        return {"PEDIGREE_SETTINGS": _paths(LOCAL_FILES)}


project = DogBreedsProject()
