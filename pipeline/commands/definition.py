"""`pedigree definition`: prints the JSON that AWS gets, and nothing else, on standard output."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pedigree.cli import files
from pedigree.cli.options import ProjectOptions, expand_options
from pipeline.commands.project import project


@expand_options
def command(
    target: ProjectOptions,
    output: Annotated[Path | None, typer.Option(help="The file to write; default: standard output.")] = None,
) -> None:
    """Print the pipeline's definition as JSON. Needs no account."""
    files.check(output)
    files.write(project.pipeline(target).definition(), output)
