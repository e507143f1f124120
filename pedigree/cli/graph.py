"""`pedigree graph`: draws a definition as Mermaid text and as an SVG that needs no network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from pedigree.cli import definitions, files, project
from pedigree.cli.check import FileArgument
from pedigree.cli.definitions import ScriptArguments
from pedigree.cli.errors import UsageError
from pedigree.cli.options import ProjectOptions, SettingsOption


def command(
    file: FileArgument = None,
    arguments: ScriptArguments = None,
    settings: SettingsOption = "",
    output: Annotated[Path, typer.Option(help="The folder to write to.")] = Path(),
    name: Annotated[str, typer.Option(help="The files' name and the picture's title.")] = "pipeline",
) -> None:
    """Draw the graph of a definition: NAME.mmd and NAME.svg.

    What `pedigree check` finds wrong is left out.
    """
    if file and settings:
        raise UsageError(f"{file} is drawn as it is, and --settings would not be read", "leave one of them out")
    if not re.fullmatch(r"\w[\w.-]{0,99}", name):
        raise UsageError("--name is not the name of a file", "write it like pipeline, with letters, digits and . _ -")
    if not output.is_dir():
        raise UsageError(f"{output} is not a folder", "make it, or choose another with --output")
    from pedigree.checks.evidence import Evidence
    from pedigree.checks.reading import load
    from pedigree.checks.subject import Subject
    from pedigree.diagram.mermaid import mermaid
    from pedigree.diagram.picture import picture
    from pedigree.diagram.svg import svg

    subject = Subject(load(definitions.read(file, arguments).text if file else _own(settings)), Evidence())
    drawn = picture(subject.definition, subject.uses)
    for suffix, content in ((".mmd", mermaid(drawn)), (".svg", svg(drawn, name))):
        path = output / f"{name}{suffix}"
        files.write(content, path)
        typer.echo(path)


def _own(settings: str) -> str:
    missing = UsageError("there is no definition to draw", "name a file, or - for standard input")
    return project.pipeline(ProjectOptions(settings), missing).definition()
