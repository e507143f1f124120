"""`pedigree graph`: a picture of a definition, as Mermaid text and as an SVG that needs no network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from pedigree.cli import files, options
from pedigree.cli.errors import UsageError
from pipeline.commands import definition


def command(
    file: Annotated[
        Path | None, typer.Argument(help="A definition in JSON, or -; this project's own without it.")
    ] = None,
    settings: options.SettingsOption = "",
    output: Annotated[Path, typer.Option(help="The folder to write to.")] = Path(),
    name: Annotated[str, typer.Option(help="The name of the files, and the title of the picture.")] = "pipeline",
) -> None:
    """Draw the graph: NAME.mmd and NAME.svg."""
    if file and settings:
        raise UsageError(f"{file} is drawn as it is, and --settings would not be read", "leave one of them out")
    if not re.fullmatch(r"\w[\w.-]{0,99}", name):
        raise UsageError("--name is not the name of a file", "write it like pipeline, with letters, digits and . _ -")
    if not output.is_dir():
        raise UsageError(f"{output} is no folder", "make it, or choose another with --output")
    from pedigree.diagram.mermaid import mermaid
    from pedigree.diagram.picture import picture
    from pedigree.diagram.svg import svg
    from pedigree.language.definition import parse

    drawn = picture(parse(files.read(file) if file else definition.text(settings, None, None)))
    for suffix, content in ((".mmd", mermaid(drawn)), (".svg", svg(drawn, name))):
        path = output / f"{name}{suffix}"
        files.write(content, path)
        typer.echo(path)
