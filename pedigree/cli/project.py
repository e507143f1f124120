"""The hook by which an installed project registers its own pipeline.

A project's distribution registers an object of type Project under the entry point group pedigree.project, and its own
verbs under pedigree.commands (verbs.py). Without a project, the verbs that work on any pipeline remain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol

from pedigree import project_root
from pedigree.cli.errors import UsageError

if TYPE_CHECKING:
    from pedigree.account.account import Account
    from pedigree.account.plan import ManagedResource
    from pedigree.checks.ignoring import Ignored
    from pedigree.cli.options import ProjectOptions
    from pedigree.language.definition import Definition

GROUP = "pedigree.project"


@dataclass(frozen=True)
class InputData:
    """Data for an execution: the parameters that name it, as NAME=VALUE, and what must be uploaded before."""

    parameters: Sequence[str] = ()
    uploads: Sequence[ManagedResource] = ()


class ProjectPipeline(Protocol):
    """A project's pipeline with its settings."""

    @property
    def name(self) -> str:
        """The pipeline's name in an account."""
        ...

    @property
    def account(self) -> str:
        """The id of the account that the settings name; empty if they name none."""
        ...

    @property
    def region(self) -> str: ...

    def definition(self) -> str:
        """The pipeline definition as JSON."""
        ...

    def ignored(self) -> Sequence[Ignored]:
        """The findings that the settings ignore."""
        ...

    def parameters(self) -> frozenset[str]:
        """The names of its execution parameters."""
        ...

    def check_values(self, values: Mapping[str, str]) -> None:
        """Raises a Mistake if the settings do not take these values of parameters."""
        ...

    def input_data(self, where: str, account: Account) -> AbstractContextManager[InputData]:
        """A user's own data for one execution; what it was read from may be removed when the block ends."""
        ...


class Project(Protocol):
    """What a project registers."""

    def pipeline(self, options: ProjectOptions) -> ProjectPipeline:
        """The pipeline as the settings have it, with the options on top."""
        ...

    def make_command(self, verb: str, arguments: str, *, is_local: bool) -> str:
        """The call of the project's Makefile for a verb of pedigree; empty if it has none."""
        ...


@cache
def installed() -> Project | None:
    """The project that is installed in this environment, or None."""
    for entry_point in entry_points(group=GROUP):
        project: Project = entry_point.load()
        return project
    return None


def pipeline(options: ProjectOptions, missing: UsageError) -> ProjectPipeline:
    """The installed project's pipeline; raises the given error if no project is installed."""
    project = installed()
    if project is None:
        options.refuse_settings()
        raise not_installed() or missing
    return project.pipeline(options)


def check_values(options: ProjectOptions, definition: Definition, values: Mapping[str, str]) -> None:
    """Raises a Mistake for values that the project's settings refuse, if the definition is of its pipeline."""
    own = installed() if values else None
    if own is not None and project_root.search() is not None:
        owned = own.pipeline(options)
        if owned.parameters() == definition.parameters.keys():
            owned.check_values(values)


def not_installed() -> UsageError | None:
    """The error for a command that is called in the folder of a project that is not installed."""
    root = project_root.search()
    if root is None:
        return None
    package = root / project_root.package(root)
    return UsageError(f"the project in {root} is not installed", f"pip install --editable {package}")
