"""`pedigree`: one command for each thing that can be done, and the place where mistakes are told.

Only the command that is called is put together, and its module imports what it needs when it runs: help and usage
errors answer at once. An interruption and a reader that has gone are Typer's to handle: exit codes 130 and 1, and no
traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Annotated

import typer
from typer.main import get_command

from pedigree.cli.errors import MISTAKE_EXIT, error_lines
from pedigree.errors import Mistake

# In the order in which help lists them: where each is, as module and name.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "run": ("pipeline.commands.run", "command"),
    "definition": ("pipeline.commands.definition", "command"),
    "check": ("pedigree.cli.check", "command"),
    "graph": ("pedigree.cli.graph", "command"),
    "sample-data": ("pipeline.commands.sample_data", "command"),
    "upsert": ("pipeline.commands.upsert", "command"),
    "destroy": ("pipeline.commands.destroy", "command"),
    "policies": ("pipeline.commands.policies", "command"),
    "start": ("pedigree.cli.start", "command"),
    "status": ("pedigree.cli.status", "command"),
    "stop": ("pedigree.cli.executions", "stop"),
    "retry": ("pedigree.cli.executions", "retry"),
    "executions": ("pedigree.cli.executions", "listing"),
    "results": ("pipeline.commands.results", "command"),
    "predict": ("pipeline.commands.predict", "command"),
    "approve": ("pipeline.commands.endpoint", "approve"),
    "rollback": ("pipeline.commands.endpoint", "rollback"),
    "endpoint-status": ("pipeline.commands.endpoint", "status"),
    "ec2-train": ("pipeline.commands.ec2_train", "command"),
    "cost": ("pipeline.commands.cost", "command"),
    "schedule": ("pipeline.commands.schedule", "app"),
    "local": ("pedigree.cli.local", "app"),
}


@cache
def app(called: str = "") -> typer.Typer:
    """The program: with the one command that is called, or with all if it is none."""
    made = typer.Typer(
        name="pedigree",
        help="From a folder of images to a deployed, autoscaled classifier, as one SageMaker pipeline.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    made.callback()(options)
    for name in (called,) if called in COMMANDS else COMMANDS:
        module, attribute = COMMANDS[name]
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            made.add_typer(found, name=name)
        else:
            made.command(name)(found)
    return made


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("pedigree"))
        raise typer.Exit


def options(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """What holds for every command."""


@cache
def _commands(called: str) -> Callable[[], None]:
    """What is called, with its options, put together once."""
    found: Callable[[], None] = get_command(app(called))
    return found


def main() -> None:
    """Run a command; tell a mistake in one line a problem."""
    try:
        _commands(sys.argv[1] if len(sys.argv) > 1 else "")()
    except Mistake as mistake:
        for line in error_lines(mistake):
            typer.echo(f"pedigree: {line}", err=True)
        sys.exit(MISTAKE_EXIT)
