"""Checks that the scheduled pipeline exists and takes the schedule's values."""

from __future__ import annotations

from collections.abc import Iterator

from pedigree.account.account import Account
from pedigree.account.errors import AbsentError, InvalidInputError
from pedigree.account.executions import no_pipeline
from pedigree.errors import Mistake
from pedigree.language.definition import Definition, parse
from pedigree.language.near import suggest
from pedigree.language.text import brief
from pipeline.settings.tree import Settings

_REMEDY = "`pedigree upsert` brings the account up to date"


def check(account: Account, settings: Settings) -> None:
    """Raises an error for a schedule that would fail every time: no pipeline, no role, wrong values."""
    name, role = settings.pipeline.name, settings.site.roles.scheduler
    there = account.find("sagemaker", "describe_pipeline", PipelineName=name)
    if there is None:
        raise no_pipeline(account, name)
    if account.find("iam", "get_role", RoleName=role) is None:
        raise AbsentError(f"account {account.id} has no role {role} with which to start it", _REMEDY)
    mistakes = list(_mistakes(settings, parse(there["PipelineDefinition"])))
    if mistakes:
        raise InvalidInputError(mistakes)


def _mistakes(settings: Settings, definition: Definition) -> Iterator[Mistake]:
    """The values that the pipeline in the account would refuse: it may be made from other settings."""
    for name, value in settings.schedule.parameters.items():
        key, parameter = f"schedule.parameters.{name}", definition.parameters.get(name)
        if parameter is None:
            near = suggest(name, definition.parameters, "it has no parameters")
            yield Mistake(f"{key} is not a parameter of the pipeline in the account", f"{near}, or {_REMEDY}")
        elif not parameter.accepts(value):
            yield Mistake(f"{key} = {brief(value)} is refused by the pipeline in the account", _REMEDY)
