"""The options that several commands have, each spelled once, alone or in groups.

A command takes a group as one parameter, a frozen dataclass with a field for each option; `expand_options` makes
options of the fields. So a verb that is about an account says `target: AccountOptions` and nothing else.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from pedigree.cli.errors import UsageError

SettingsOption = Annotated[
    str, typer.Option("--settings", help="Settings files, later ones on top: a.toml:b.toml.", show_default=False)
]
AccountOption = Annotated[str | None, typer.Option("--account", help="The AWS account's 12 digits.")]
RegionOption = Annotated[str | None, typer.Option("--region", help="The AWS region.")]
ProfileOption = Annotated[str, typer.Option("--profile", help="The AWS profile; default: AWS_PROFILE.")]
PipelineOption = Annotated[str, typer.Option("--pipeline", help="A pipeline's name; default: the project's.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print the changes; make none.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DRY_RUN_REMEDY = "add --yes to do it, or --dry-run to see it only"
EveryOption = Annotated[float, typer.Option("--every", min=0.1, max=600, help="Seconds between two polls.")]
MinutesOption = Annotated[int, typer.Option("--minutes", min=1, max=40_320, help="How long to follow at most.")]


@dataclass(frozen=True)
class ProjectOptions:
    """Which settings a verb uses, and what overrides them."""

    settings: SettingsOption = ""
    account: AccountOption = None
    region: RegionOption = None

    def __post_init__(self) -> None:
        for option, value in (("--account", self.account), ("--region", self.region)):
            if value == "":
                raise UsageError(f"{option} is empty", "write a value, or leave it out")

    def refuse_settings(self) -> None:
        """Raises UsageError if there are settings and no project to read them."""
        if self.settings:
            raise UsageError(
                "no project is installed that could read --settings", "install it, or leave --settings out"
            )


@dataclass(frozen=True)
class AccountOptions(ProjectOptions):
    """Which account a verb works on."""

    profile: ProfileOption = ""


@dataclass(frozen=True)
class PipelineOptions(AccountOptions):
    """Which pipeline of which account a verb works on."""

    pipeline: PipelineOption = ""


@dataclass(frozen=True)
class FollowOptions:
    """How often and how long a verb polls an execution."""

    every: EveryOption = 10.0
    minutes: MinutesOption = 24 * 60


def expand_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each field of the option groups among its parameters."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}

    @wraps(command)
    def expanded(**given: Any) -> None:
        for name, group in groups.items():
            names = [field.name for field in fields(group)]
            given[name] = group(**{each: given.pop(each) for each in names if each in given})
        command(**given)

    parameters = [
        expanded_parameter
        for name, parameter in inspect.signature(command).parameters.items()
        for expanded_parameter in _parameters(parameter.replace(annotation=hints[name]), groups.get(name))
    ]
    expanded.__dict__["__signature__"] = inspect.Signature(parameters)
    expanded.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return expanded


def _parameters(parameter: inspect.Parameter, group: Any) -> list[inspect.Parameter]:
    if group is None:
        return [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(group)
    ]


def confirmed(question: str, *, yes: bool, remedy: str = DRY_RUN_REMEDY) -> bool:
    """Whether to go on; without a terminal to ask, --yes must have said so."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for consent", remedy)
    return typer.confirm(question)
