"""`pedigree check`: what is wrong with a definition, this project's own or anybody's, before AWS says so."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pedigree.cli import beside, files, options
from pedigree.cli.errors import UsageError
from pipeline.commands import definition, soundness

if TYPE_CHECKING:
    from pedigree.checks.evidence import Evidence
    from pedigree.checks.finding import Finding
    from pipeline.settings.tree import Settings


class Format(str, Enum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


class Level(str, Enum):
    """The least severity that makes the command fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NEVER = "never"


def command(
    file: Annotated[
        Path | None, typer.Argument(help="A definition in JSON, or -; this project's own without it.")
    ] = None,
    settings: options.SettingsOption = "",
    account: options.AccountOption = None,
    region: options.RegionOption = None,
    select: Annotated[str, typer.Option(help="Only these codes, or beginnings of codes: REF,LIM004.")] = "",
    ignore: Annotated[str, typer.Option(help="All but these codes, or beginnings of codes.")] = "",
    fail_on: Annotated[Level, typer.Option(help="The least severity for exit code 1.")] = Level.ERROR,
    output: Annotated[Format, typer.Option("--format", help="How to write the findings.")] = Format.TEXT,
    functions: beside.FunctionsOption = None,
    schedule: beside.ScheduleOption = None,
    scripts: beside.ScriptsOption = None,
    policies: beside.PoliciesOption = None,
    pipeline_role: beside.RoleOption = "pipeline",
    write_policy: Annotated[
        str, typer.Option(metavar="ROLE", help="Print the least policy that a role needs for it, and stop.")
    ] = "",
    explain: Annotated[str, typer.Option(metavar="CODE", help="Tell what a rule looks for, and stop.")] = "",
) -> None:
    """Find what is wrong with a definition. Exit code 0: nothing, 1: something, 2: it is no definition."""
    gc.disable()  # all that a check makes lives until its end, and looking through it again and again costs a tenth
    from pedigree.checks.finding import Severity
    from pedigree.checks.ignoring import without
    from pedigree.checks.manual import page
    from pedigree.checks.run import run

    if explain:
        typer.echo(page(explain), nl=False)
        return
    loaded = _settings(file, settings, account, region)
    text = definition.rendered(loaded) if loaded else files.read(file or Path("-"))
    document = _document(file, text)
    known = beside.read(functions, schedule, scripts, policies, pipeline_role)
    if write_policy:
        _write_policy(document, known, write_policy)
        return
    found = run(document, known, select=_codes(select), ignore=_codes(ignore))
    kept, unused = without(found, soundness.ignored(loaded) if loaded else [])
    for line in unused:
        typer.echo(f"pedigree: {line}", err=True)
    _report(file, text, document, kept, output)
    if fail_on is not Level.NEVER and any(one.severity >= Severity[fail_on.name] for one in kept):
        raise typer.Exit(1)


def _document(file: Path | None, text: str) -> Mapping[str, Any]:
    """The definition that a text is, or whose mistake it is that it is none."""
    from pedigree.checks.errors import UnusableError
    from pedigree.checks.reading import load

    try:
        return load(text)
    except UnusableError as error:
        place = f"{file}: " if file and str(file) != "-" else ""
        raise UsageError(f"{place}{error.cause}", error.remedy) from None


def _settings(file: Path | None, settings: str, account: str | None, region: str | None) -> Settings | None:
    """Those from which the project's own definition is made; none for a file."""
    if not file:
        return options.load(settings, account, region)
    for option, value in (("--settings", settings), ("--account", account), ("--region", region)):
        if value:
            raise UsageError(f"{file} is checked as it is, and {option} would not be read", "leave one of them out")
    return None


def _report(
    file: Path | None, text: str, document: Mapping[str, Any], found: Sequence[Finding], output: Format
) -> None:
    from pedigree.checks.output import FORMATS
    from pedigree.checks.output.report import Report

    # What DescribePipeline answers has the definition as a text inside, which is what places are told of.
    source = text if isinstance(json.loads(text).get("Steps"), list) else json.dumps(document, indent=2)
    name = str(file) if file and str(file) != "-" else "definition.json"
    sys.stdout.write(FORMATS[output.value](Report(name, source, found)))


def _write_policy(document: Mapping[str, Any], known: Evidence, role: str) -> None:
    from pedigree.checks.roles.least_privilege import policy_of
    from pedigree.checks.roles.required import required_permissions, unknown_requirements
    from pedigree.checks.subject import Subject

    subject = Subject(document, known)
    typer.echo(json.dumps(policy_of(role, required_permissions(subject)), indent=2))
    for line in unknown_requirements(subject):
        typer.echo(f"pedigree: {line}; see whether the role needs more", err=True)


def _codes(text: str) -> list[str]:
    return [one.strip().upper() for one in text.split(",") if one.strip()]
