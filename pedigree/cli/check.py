"""`pedigree check`: finds what is wrong with a definition, a project's own or any other, before AWS does."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pedigree.cli import definitions, evidence, files, project
from pedigree.cli.definitions import ScriptArguments
from pedigree.cli.errors import UsageError
from pedigree.cli.evidence import EvidenceOptions
from pedigree.cli.options import ProjectOptions, expand_options

if TYPE_CHECKING:
    from pedigree.checks.evidence import Evidence
    from pedigree.checks.finding import Finding
    from pedigree.cli.project import ProjectPipeline

FileArgument = Annotated[
    Path | None,
    typer.Argument(
        help="A definition in JSON, -, or a script: pipeline.py or pipeline.py:NAME; default: the project's."
    ),
]


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


@expand_options
def command(
    target: ProjectOptions,
    given: EvidenceOptions,
    file: FileArgument = None,
    arguments: ScriptArguments = None,
    select: Annotated[str, typer.Option(help="Only these codes or prefixes: REF,LIM004.")] = "",
    ignore: Annotated[str, typer.Option(help="Without these codes or prefixes.")] = "",
    fail_on: Annotated[Level, typer.Option(help="The least severity for exit code 1.")] = Level.ERROR,
    output: Annotated[Format, typer.Option("--format", help="How to write the findings.")] = Format.TEXT,
    write_policy: Annotated[str, typer.Option(metavar="ROLE", help="Print the least policy for a role.")] = "",
    explain: Annotated[str, typer.Option(metavar="CODE", help="Explain a rule.")] = "",
) -> None:
    """Check a definition. Exit code 1: findings; 2: not a definition."""
    gc.disable()  # all that a check makes lives until its end, and collecting garbage costs a tenth
    from pedigree.checks.finding import Severity
    from pedigree.checks.ignoring import without
    from pedigree.checks.manual import page
    from pedigree.checks.run import run

    if explain:
        typer.echo(page(explain), nl=False)
        return
    own = None if file else _own(target)
    text = own.definition() if own else definitions.source(_only_file(file, target), arguments)
    document = _document(file, text)
    proof = evidence.read(given)
    if write_policy:
        _write_policy(document, proof, write_policy)
        return
    findings = run(document, proof, select=_codes(select), ignore=_codes(ignore))
    reported, unused = without(findings, own.ignored() if own else [])
    for line in unused:
        typer.echo(f"pedigree: {line}", err=True)
    _report(file, text, document, reported, output)
    if fail_on is not Level.NEVER and any(finding.severity >= Severity[fail_on.name] for finding in reported):
        raise typer.Exit(1)


def _own(target: ProjectOptions) -> ProjectPipeline:
    return project.pipeline(
        target, UsageError("there is no definition to check", "name a file, or - for standard input")
    )


def _only_file(file: Path | None, target: ProjectOptions) -> Path:
    """The file; raises UsageError if there are options for a project's definition, too."""
    assert file is not None
    for option, value in (("--settings", target.settings), ("--account", target.account), ("--region", target.region)):
        if value:
            raise UsageError(f"{file} is checked as it is, and {option} would not be read", "leave one of them out")
    return file


def _document(file: Path | None, text: str) -> Mapping[str, Any]:
    from pedigree.checks.errors import NotADefinitionError
    from pedigree.checks.reading import load

    try:
        return load(text)
    except NotADefinitionError as error:
        place = f"{file}: " if file and str(file) != "-" else ""
        raise UsageError(f"{place}{error.cause}", error.remedy) from None


def _report(
    file: Path | None, text: str, document: Mapping[str, Any], findings: Sequence[Finding], output: Format
) -> None:
    from pedigree.checks.output import FORMATS
    from pedigree.checks.output.report import FindingsReport

    # DescribePipeline answers with the definition as a string inside, which has no lines to point at.
    source = text if isinstance(json.loads(text).get("Steps"), list) else json.dumps(document)
    name = str(file) if file and str(file) != "-" else "definition.json"
    script = ""
    if file and definitions.is_script(file):
        name = f"{name.partition('.py')[0]}.py"
        script = files.read(Path(name))
    sys.stdout.write(FORMATS[output.value](FindingsReport(name, source, findings, script)))


def _write_policy(document: Mapping[str, Any], proof: Evidence, role: str) -> None:
    from pedigree.checks.roles.least_privilege import policy_of
    from pedigree.checks.roles.required import required_permissions, unknown_requirements
    from pedigree.checks.subject import Subject

    subject = Subject(document, proof)
    typer.echo(json.dumps(policy_of(role, required_permissions(subject)), indent=2))
    for line in unknown_requirements(subject):
        typer.echo(f"pedigree: {line}; see whether the role needs more", err=True)


def _codes(text: str) -> list[str]:
    return [code.strip().upper() for code in text.split(",") if code.strip()]
