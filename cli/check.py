"""`pedigree check`: what is wrong with a definition, this project's own or anybody's, before AWS says so."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import definition, files, options
from cli.errors import UsageError

if TYPE_CHECKING:
    from checks.subject import Beside


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
    select: Annotated[str, typer.Option(help="Only these codes, or beginnings of codes: REF,LIM004.")] = "",
    ignore: Annotated[str, typer.Option(help="All but these codes, or beginnings of codes.")] = "",
    fail_on: Annotated[Level, typer.Option(help="The least severity for exit code 1.")] = Level.ERROR,
    output: Annotated[Format, typer.Option("--format", help="How to write the findings.")] = Format.TEXT,
    functions: Annotated[
        Path | None, typer.Option(help="Configurations of Lambda functions, as `aws lambda list-functions` gives them.")
    ] = None,
    schedule: Annotated[
        Path | None, typer.Option(help="A schedule or a rule's targets, as `aws scheduler get-schedule` gives it.")
    ] = None,
    scripts: Annotated[Path | None, typer.Option(help="A folder or a .tar.gz with the scripts of the jobs.")] = None,
    explain: Annotated[str, typer.Option(metavar="CODE", help="Tell what a rule looks for, and stop.")] = "",
) -> None:
    """Find what is wrong with a definition. Exit code 0: nothing, 1: something, 2: it is no definition."""
    from checks.finding import Severity
    from checks.manual import page
    from checks.output import FORMATS
    from checks.output.report import Report
    from checks.reading import load
    from checks.run import run

    if explain:
        typer.echo(page(explain), nl=False)
        return
    if file and settings:
        raise UsageError(f"{file} is checked as it is, and --settings would not be read; leave one of them out")
    text = files.read(file) if file else definition.text(settings, None, None)
    document = load(text)
    found = run(document, _beside(functions, schedule, scripts), select=_codes(select), ignore=_codes(ignore))
    # What DescribePipeline answers has the definition as a text inside, which is what places are told of.
    source = text if isinstance(json.loads(text).get("Steps"), list) else json.dumps(document, indent=2)
    name = str(file) if file and str(file) != "-" else "definition.json"
    sys.stdout.write(FORMATS[output.value](Report(name, source, found)))
    if fail_on is not Level.NEVER and any(one.severity >= Severity[fail_on.name] for one in found):
        raise typer.Exit(1)


def _codes(text: str) -> list[str]:
    return [one.strip().upper() for one in text.split(",") if one.strip()]


def _beside(functions: Path | None, schedule: Path | None, scripts: Path | None) -> Beside:
    from checks.subject import Beside

    return Beside(
        functions=_functions(_document(functions)) if functions else {},
        schedules=[_document(schedule)] if schedule else (),
        scripts=_scripts(scripts) if scripts else {},
    )


def _functions(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    listed = document.get("Functions", [document])
    return {str(one.get("FunctionName", "")): one for one in listed if isinstance(one, dict)}


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(files.read(path))
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}; give what the AWS command line prints") from None
    if not isinstance(document, dict):
        raise UsageError(f"{path} is no object; give what the AWS command line prints")
    return document


def _scripts(path: Path) -> dict[str, str]:
    from checks.archives import sources

    try:
        return sources(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}; name a folder or a .tar.gz") from None
