"""What this project registers with pedigree: its pipeline."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pedigree.cli.options import ProjectOptions
from pipeline.commands import make_targets, settings_files

if TYPE_CHECKING:
    from pedigree.account.account import Account
    from pedigree.checks.ignoring import Ignored
    from pedigree.cli.project import InputData
    from pipeline.settings.layers import Layer
    from pipeline.settings.tree import Settings


def load_settings(options: ProjectOptions) -> Settings:
    """The settings of the chosen files, with the environment and the options on top."""
    from pipeline.settings.loading import compose

    return compose(read_layers(options))


def read_layers(options: ProjectOptions) -> list[Layer]:
    """The layers of those settings."""
    from pipeline.settings import loading

    files = settings_files.find(options.settings, os.environ)
    overrides = {"site.account": options.account, "site.region": options.region}
    return loading.read_layers(":".join(files), os.environ, overrides)


@dataclass(frozen=True)
class DogBreeds:
    """The pipeline with its settings, as pedigree's own verbs use it."""

    settings: Settings
    options: ProjectOptions = field(default_factory=ProjectOptions)

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

    def parameters(self) -> frozenset[str]:
        from pipeline.settings.parameters import declare

        return frozenset(parameter.name for parameter in declare(self.settings))

    def check_values(self, values: Mapping[str, str]) -> None:
        from pipeline.settings.loading import check_values

        check_values(values, read_layers(self.options))

    def input_data(self, where: str, account: Account) -> AbstractContextManager[InputData]:
        from pipeline.commands.own_data import input_data

        return input_data(self.settings, where, account)


class DogBreedsProject:
    """The object that the entry point pedigree.project names."""

    def pipeline(self, options: ProjectOptions) -> DogBreeds:
        return DogBreeds(load_settings(options), options)

    def make_command(self, verb: str, arguments: str, *, is_local: bool) -> str:
        return make_targets.make_command(verb, arguments, is_local=is_local)


project = DogBreedsProject()
