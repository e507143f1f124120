"""`pedigree`: one command for each thing that can be done, and the place where mistakes are told.

A command's module imports what it needs when it runs, so that help and usage errors answer at once.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from cli import definition, graph
from cli.errors import INTERRUPTED_EXIT, MISTAKE_EXIT, MISTAKES

app = typer.Typer(
    name="pedigree",
    help="From a folder of images to a deployed, autoscaled classifier, as one SageMaker pipeline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("definition")(definition.command)
app.command("graph")(graph.command)


@app.callback()
def options(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    """What holds for every command."""
    if show_version:
        typer.echo(version("pedigree"))
        raise typer.Exit


def main() -> None:
    """Run a command; tell a mistake in one line a problem."""
    try:
        app()
    except MISTAKES as mistake:
        for line in str(mistake).splitlines():
            typer.echo(f"pedigree: {line}", err=True)
        sys.exit(MISTAKE_EXIT)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED_EXIT)
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
